#!/usr/bin/env bash
# Pushes, pulls and follows with the HTTP clients of other languages, over plain HTTP and over TLS: curl, Python's http.client, Java's
# HttpClient. What is not installed is left out, and said.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
build_programs
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null

start() { # start NAME OPTION…: runs a server, and sets NAME to its URL
  local name=$1
  shift
  "$PROGRAMS/atomsync-server" --storage memory --port 0 "$@" >"$name.out" 2>"$name.log" &
  local server=$!  # the pause below is a process, too
  until [ -s "$name.out" ]; do kill -0 $server || { cat "$name.log"; exit 1; }; read -rt 0.05 <> <(:) || true; done
  printf -v "$name" %s "$(grep -o 'http[^ ,]*' "$name.out" | head -n 1)"
}
start plain
start secure --tls-certificate certificate.pem --tls-key key.pem
secure=${secure/127.0.0.1/localhost}

failures=0
# expect WHAT TEXT COMMAND…: the command's output has the text
expect() {
  local what=$1 text=$2 output
  shift 2
  output=$("$@" 2>&1 || true)
  if [[ $output == *"$text"* ]]; then
    echo "ok      $what"
  else
    echo "FAILED  $what: $output"
    failures=$((failures + 1))
  fi
}

push() { printf '["^ ","~:group","todo","~:docs",[["^ ","~:id","%s","~:version",0,"~:value",1]]]' "$1"; }
type='Content-Type: application/transit+json'
for options in "$plain" "$plain --http2" "$secure --cacert certificate.pem --http1.1" "$secure --cacert certificate.pem --http2"; do
  set -- $options
  id=curl-$RANDOM
  expect "curl $options: push" '"~:accepted",[["^ ","~:id","'"$id" curl -sS -m 10 -H "$type" -d "$(push "$id")" "$@"
  url=$1; shift
  expect "curl $options: pull" "$id" curl -sS -m 10 "$url?group=todo" "$@"
  expect "curl $options: live" "$id" curl -sSN -m 2 -H 'Accept: text/event-stream' "$url?group=todo" "$@"
  expect "curl $options: gzip" "$id" curl -sS -m 10 --compressed "$url?group=todo" "$@"
done

cat >client.py <<'P'
import http.client, ssl, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
if url.scheme == "https":
    c = http.client.HTTPSConnection(url.hostname, url.port, timeout=10, context=ssl.create_default_context(cafile="certificate.pem"))
else:
    c = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
for n in range(3):
    c.request("POST", url.path, sys.argv[2].replace("ID", "py-%d" % n), {"Content-Type": "application/transit+json"})
    assert b'"~:accepted",[["^ "' in c.getresponse().read()
c.request("GET", url.path + "?group=todo")
assert b"py-2" in c.getresponse().read()
c.request("GET", url.path + "?group=todo", headers={"Accept": "text/event-stream"})
r = c.getresponse()
while b"py-2" not in r.readline(): pass
print("done")
P
for url in "$plain" "$secure"; do expect "Python $url: push, pull, live" done python3 client.py "$url" "$(push ID)"; done

cat >Client.java <<'J'
import java.net.URI;
import java.net.http.*;
import java.time.Duration;

class Client {
  public static void main(String[] arguments) throws Exception {
    String url = arguments[0], push = arguments[1];
    HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    for (int n = 0; n < 3; n++) {
      var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10))
        .header("Content-Type", "application/transit+json")
        .POST(HttpRequest.BodyPublishers.ofString(push.replace("ID", "java-" + n))).build();
      String body = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
      if (!body.contains("\"~:accepted\",[[\"^ \"")) throw new Exception(body);
    }
    var pull = HttpRequest.newBuilder(URI.create(url + "?group=todo")).timeout(Duration.ofSeconds(10)).build();
    var page = client.send(pull, HttpResponse.BodyHandlers.ofString());
    if (!page.body().contains("java-2")) throw new Exception(page.body());
    var live = HttpRequest.newBuilder(URI.create(url + "?group=todo")).timeout(Duration.ofSeconds(10))
      .header("Accept", "text/event-stream").build();
    var lines = client.send(live, HttpResponse.BodyHandlers.ofLines()).body();
    if (lines.noneMatch(line -> line.contains("java-2"))) throw new Exception("no event");
    System.out.println("done by " + page.version());
    System.exit(0);
  }
}
J
if command -v javac >/dev/null; then
  javac Client.java
  keytool -importcert -noprompt -file certificate.pem -keystore trust.jks -storepass changeit >/dev/null 2>&1
  expect "Java $plain: push, pull, live" "done by HTTP_1_1" java Client "$plain" "$(push ID)"
  expect "Java $secure: push, pull, live" "done by HTTP_2" java -Djavax.net.ssl.trustStore=trust.jks -Djavax.net.ssl.trustStorePassword=changeit Client "$secure" "$(push ID)"
else
  echo "left out: Java, which is not installed"
fi

# A page of another origin, which the server names or does not.
cat >page.html <<'H'
<!DOCTYPE html><title>waiting</title><body><script>
const [url, push] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const say = text => { document.body.append(text + "\n"); };
(async () => {
  try {
    const type = {"Content-Type": "application/transit+json"};
    const pushed = await fetch(url, {method: "POST", headers: type, body: push});
    if ((await pushed.text()).includes('"~:accepted",[["^ "')) say("pushed");
    if ((await (await fetch(url + "?group=todo")).text()).includes("from-a-page")) say("pulled");
    const stream = new EventSource(url + "?group=todo");
    stream.addEventListener("page", event => {
      if (event.data.includes("from-a-page")) say("followed");
      stream.close();
    });
    stream.onerror = () => { stream.close(); say("no stream"); };
  } catch (error) { say("refused: " + error); }
})();
</script></body>
H
browse() {
  local hash
  hash=$(python3 -c 'import json, sys, urllib.parse; print(urllib.parse.quote(json.dumps(sys.argv[1:])))' "$1" "$(push from-a-page)")
  timeout 60 "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$work/chromium" --virtual-time-budget=8000 \
    --dump-dom "http://127.0.0.1:$pages/page.html#$hash" 2>/dev/null | tr '\n' ' '
}
if chromium=$(command -v chromium || command -v chromium-browser); then
  python3 -u -m http.server --bind 127.0.0.1 0 >pages.out 2>&1 &
  until grep -q port pages.out; do read -rt 0.05 <> <(:) || true; done
  pages=$(grep -o 'port [0-9]*' pages.out | cut -d ' ' -f 2)
  start friendly --cors-origin "http://127.0.0.1:$pages"
  expect "browser $friendly: fetch and EventSource" "pushed pulled followed" browse "$friendly"
  expect "browser $plain, which does not name the page" "refused: TypeError" browse "$plain"
else
  echo "left out: a browser, since chromium is not installed"
fi
[ $failures = 0 ]
