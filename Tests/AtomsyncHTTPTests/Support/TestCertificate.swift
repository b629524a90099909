/// Certificates for `localhost` and 127.0.0.1 until 2126 that vouch for themselves, with their keys. Of use in tests only.
enum TestCertificate {
  static let first = (
    certificate: """
    -----BEGIN CERTIFICATE-----
    MIIBnDCCAUGgAwIBAgIULLIpmJtkzw2d2K2KPZ2+362x8XQwCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODAwMDA1MloYDzIxMjYxMTA0
    MDAwMDUyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAAQCBMsVvmdyvpb2TvVZb0XXune9I3UwGM1GF0cVaFbFFHYuvz+60fpN
    U+hR6BTCR3NzdKVViRD3yjgEaaQrIj+Eo28wbTAdBgNVHQ4EFgQUiWsTmPsXC0tj
    b+aa1cXuIf3vH7swHwYDVR0jBBgwFoAUiWsTmPsXC0tjb+aa1cXuIf3vH7swGgYD
    VR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
    zj0EAwIDSQAwRgIhAJ2Vtd1xGc5AxfGAOOi9Ft6pG3gWTYYiCbdX20GJyQbTAiEA
    /q/3Ss4PPiP4sguna4fwT3zTvsQIwpvQP5ZiUXie9lI=
    -----END CERTIFICATE-----
    """,
    key: """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJnZWPEwE/vTX8V7O
    nIfEIvmdU/Ukoqx37er0IqrXn8+hRANCAAQCBMsVvmdyvpb2TvVZb0XXune9I3Uw
    GM1GF0cVaFbFFHYuvz+60fpNU+hR6BTCR3NzdKVViRD3yjgEaaQrIj+E
    -----END PRIVATE KEY-----
    """
  )
  static let second = (
    certificate: """
    -----BEGIN CERTIFICATE-----
    MIIBnDCCAUGgAwIBAgIUdlObfjXYDTKjxmARO0hWFZIFV/MwCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODAwMDA1MloYDzIxMjYxMTA0
    MDAwMDUyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAAQIp+Dxxle9xSDxNs/DwgsvaZkzmqs9oFakgh83ZwAbjE+gcFdjALEE
    IzJPcYUL2jUYttbpBR3qyl+Bqb5CJbGGo28wbTAdBgNVHQ4EFgQUOfOyCt/mpUMc
    7A2EIUfekfZmGmswHwYDVR0jBBgwFoAUOfOyCt/mpUMc7A2EIUfekfZmGmswGgYD
    VR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
    zj0EAwIDSQAwRgIhAOH30jYE8llj3+0tJ4Mcbw4zG05W157HFbz4SlReurxgAiEA
    l89ibvnpwALE6syL9cNmGSLto9QsZJHxnwoQWxDinEQ=
    -----END CERTIFICATE-----
    """,
    key: """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEhPVIIXeWGaaZ1PT
    H4SlPmsOXBknvOAsPYho2Di14DWhRANCAAQIp+Dxxle9xSDxNs/DwgsvaZkzmqs9
    oFakgh83ZwAbjE+gcFdjALEEIzJPcYUL2jUYttbpBR3qyl+Bqb5CJbGG
    -----END PRIVATE KEY-----
    """
  )
}
