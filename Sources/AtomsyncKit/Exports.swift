// The usual set for an app: SQLite on this machine, HTTP to the server.
@_exported public import Atomsync
@_exported public import AtomsyncCore
@_exported public import AtomsyncHTTPClient
@_exported public import AtomsyncSQLite
@_exported public import Transit
