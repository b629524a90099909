#if canImport(SwiftUI)
public import SwiftUI

extension ObservableAtom {
  /// A document for a control that changes it.
  ///
  /// ```swift
  /// TextField("Text", text: todos.binding("todo:1", default: Todo()).text)
  /// ```
  /// A change that cannot be made (the atom is closed, the document is there and cannot be decoded) is not made, and the control shows
  /// what is there.
  ///
  /// - Parameter default: what is shown, and changed, while there is no such document.
  public func binding(_ id: String, default: @autoclosure @escaping @Sendable () -> Element) -> Binding<
    Element
  > {
    Binding {
      self[id] ?? `default`()
    } set: { new in
      _ = try? self.atom.swap { $0[id, default: new] = new }
    }
  }

  /// A document that may be there or not, for a control that makes and deletes it.
  public func binding(_ id: String) -> Binding<Element?> {
    Binding {
      self[id]
    } set: { new in
      _ = try? self.atom.swap { $0[id] = new }
    }
  }
}
#endif
