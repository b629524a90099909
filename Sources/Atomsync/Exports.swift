// An app that imports the facade sees what its types are made of: conflicts, verdicts, configuration, values.
@_exported public import AtomsyncCore
@_exported public import AtomsyncEngine
@_exported public import Transit
