#!/usr/bin/env python3
"""Opens and makes sealed values (Docs/Protocol.md §12), by a library that is not Atomsync's: PyPI's cryptography.

    vectors.py          checks vectors.json: each value opens, and sealing its content makes the same bytes
    vectors.py make     writes vectors.json anew
    vectors.py open KEY GROUP URL
                        shows what a server has in a group, by a key in base64
"""
import base64, hashlib, hmac, json, os, struct, sys, urllib.parse, urllib.request, uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json")


def derive(key, group, purpose, length=32):
    return HKDF(hashes.SHA256(), length, group.encode(), b"atomsync/1/" + purpose.encode()).derive(key)


def binding(group, wire_id):
    return f"atomsync/1/value\0{group}\0{wire_id}".encode()


def padded(length):
    if length <= 1:
        return 32
    exponent = length.bit_length() - 1
    mask = max(31, (1 << max(0, exponent - exponent.bit_length())) - 1)
    return (length + mask) & ~mask


def pseudonym(key, group, name):
    code = hmac.digest(derive(key, group, "pseudonyms"), name.encode(), "sha256")
    return base64.urlsafe_b64encode(code[:16]).decode()[:22]


def seal(key, group, wire_id, made_on, lineage, name, payload, salt):
    frame = struct.pack(">qQH", made_on, lineage, len(name)) + name + struct.pack(">I", len(payload)) + payload
    frame = frame.ljust(padded(len(frame)), b"\0")
    code = hmac.new(derive(key, group, "nonces"), digestmod="sha256")
    for part in (binding(group, wire_id), salt):
        code.update(struct.pack(">I", len(part)) + part)
    code.update(frame)
    nonce = code.digest()[:12]
    return nonce + ChaCha20Poly1305(derive(key, group, "sealing")).encrypt(nonce, frame, binding(group, wire_id))


def open_sealed(key, group, wire_id, sealed):
    """The version that a value was made on, its lineage, the document's id if that is hidden, and the value."""
    frame = ChaCha20Poly1305(derive(key, group, "sealing")).decrypt(sealed[:12], sealed[12:], binding(group, wire_id))
    made_on, lineage, length = struct.unpack_from(">qQH", frame)
    name, rest = frame[18:18 + length], frame[18 + length:]
    (size,) = struct.unpack_from(">I", rest)
    return made_on, lineage, name, rest[4:4 + size]


def salt(value):
    return uuid.UUID(value["client"]).bytes + struct.pack(">q", value["push"])


def check():
    with open(FILE) as file:
        vectors = json.load(file)
    key, group = base64.b64decode(vectors["key"]), vectors["group"]
    assert derive(key, group, "key id", 8).hex() == vectors["keyID"]
    for value in vectors["values"]:
        sealed, payload = base64.b64decode(value["sealed"]), base64.b64decode(value["payload"])
        name = value["id"].encode() if value["hidesID"] else b""
        lineage = int(value["lineage"], 16)
        assert value["wireID"] == (pseudonym(key, group, value["id"]) if value["hidesID"] else value["id"])
        assert open_sealed(key, group, value["wireID"], sealed) == (value["madeOn"], lineage, name, payload)
        again = seal(key, group, value["wireID"], value["madeOn"], lineage, name, payload, salt(value))
        assert again == sealed, value["name"]
    phrase = vectors["passphrase"]
    assert scrypt(phrase["text"], base64.b64decode(phrase["salt"])) == base64.b64decode(phrase["key"])
    print(f"{len(vectors['values'])} values and a passphrase: as they should be")


def scrypt(text, salt):
    return hashlib.scrypt(text.encode(), salt=salt, n=1 << 17, r=8, p=1, maxmem=1 << 28, dklen=32)


def make():
    text = lambda data: base64.b64encode(data).decode()
    key, group, client = bytes(range(32)), "diary", uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
    milk, bread = b"\x92\xa3~#'\xa4milk", b"\x92\xa3~#'\xa5bread"
    cases = [
        ("creates", "a", False, 0, 0, milk),
        ("changes", "a", False, 1, None, bread),
        ("id is hidden", "Lunch \u2713", True, 0, 0, b"\x81\xa6~:text\xa4milk"),
        ("is long", "b", False, 41, 0x0102030405060708, b"\x92\xa3~#'\xda\x03\xe8" + b"x" * 1000),
    ]
    values, created = [], 0
    for push, (title, name, hides, made_on, lineage, payload) in enumerate(cases, 1):
        lineage = created if lineage is None else lineage
        wire_id = pseudonym(key, group, name) if hides else name
        value = {
            "name": title, "id": name, "wireID": wire_id, "hidesID": hides, "madeOn": made_on,
            "lineage": f"{lineage:016x}", "payload": text(payload), "client": str(client), "push": push,
        }
        hidden = name.encode() if hides else b""
        sealed = seal(key, group, wire_id, made_on, lineage, hidden, payload, salt(value))
        created = int.from_bytes(sealed[:8], "big")
        values.append(value | {"sealed": text(sealed)})
    phrase, salted = "correct horse battery staple", b"ann@example.org"
    vectors = {
        "key": text(key), "group": group, "keyID": derive(key, group, "key id", 8).hex(), "values": values,
        "passphrase": {"text": phrase, "salt": text(salted), "key": text(scrypt(phrase, salted))},
    }
    with open(FILE, "w") as file:
        json.dump(vectors, file, indent=2, ensure_ascii=False)
        file.write("\n")


def show(key, group, url):
    """Reads a group as Transit-JSON. Sealed values are `["~#sealed", [1, key, bytes]]`, so plain JSON finds them."""
    request = urllib.request.Request(
        f"{url}?group={urllib.parse.quote(group)}", headers={"Accept": "application/transit+json"})
    with urllib.request.urlopen(request) as answer:
        page = answer.read().decode()
    for document_id, sealed in sealed_values(json.loads(page)):
        made_on, _, name, payload = open_sealed(base64.b64decode(key), group, document_id, base64.b64decode(sealed))
        print(name.decode() or document_id, f"made on {made_on}:", payload)


def sealed_values(page):
    """The id and the bytes of each sealed document. In Transit-JSON a map is `["^ ", key, value, …]`, and what was said
    before is `^` and a digit: the first string of a document is its id."""
    documents = next(part for part in page if isinstance(part, list))
    for document in documents:
        value = next((part for part in document[1:] if isinstance(part, list)), None)
        if value:
            yield document[2], value[1][2]


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if not arguments:
        check()
    elif arguments == ["make"]:
        make()
    elif arguments[0] == "open" and len(arguments) == 4:
        show(*arguments[1:])
    else:
        sys.exit(__doc__)
