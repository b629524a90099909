/// The version of this package, as its programs tell it.
package enum AtomsyncVersion {
  package static let text = "0.1.0-dev"
}
