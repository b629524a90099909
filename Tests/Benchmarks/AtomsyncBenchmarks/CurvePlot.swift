import Foundation

/// The curve as a drawing: documents on a logarithmic scale, microseconds on a linear one that begins at 0.
struct CurvePlot {
  struct Point {
    var documents: Int
    /// Medians in microseconds: of the first swap of a document, and of later ones.
    var first: Double
    var again: Double
  }

  let points: [Point]
  private let left = 64.0
  private let top = 48.0
  private let width = 560.0
  private let height = 280.0

  var svg: String {
    let highest = (points.flatMap { [$0.first, $0.again] } + [10]).max() ?? 10
    let step = highest > 40 ? 10.0 : highest > 16 ? 5.0 : 2.0
    let limit = (highest / step).rounded(.up) * step
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 660 400\" font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"660\" height=\"400\" fill=\"#fff\"/>",
      text(344, 24, "One swap, by the number of documents in the atom", anchor: "middle", size: 15),
    ]
    for tick in stride(from: 0, through: limit, by: step) {
      let y = self.y(tick, limit)
      lines.append(line(left, y, left + width, y, tick == 0 ? "#333" : "#ddd"))
      lines.append(text(left - 8, y + 4, "\(Int(tick))", anchor: "end"))
    }
    for power in 3...6 {
      let x = self.x(pow(10, Double(power)))
      lines.append(line(x, top, x, top + height, "#eee"))
      lines.append(
        text(x, top + height + 18, ["1,000", "10,000", "100,000", "1,000,000"][power - 3], anchor: "middle"))
    }
    lines.append(line(left, y(10, limit), left + width, y(10, limit), "#c33", dash: true))
    lines.append(text(left + width, y(10, limit) - 6, "target: 10 µs", anchor: "end", color: "#c33"))
    lines +=
      curve(\.first, limit, "#147", "first swap of a document") + curve(\.again, limit, "#69b", "later swaps")
    lines.append(text(left - 44, top - 12, "µs", anchor: "start"))
    lines.append(text(left + width / 2, top + height + 42, "documents", anchor: "middle"))
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func curve(_ value: KeyPath<Point, Double>, _ limit: Double, _ color: String, _ name: String)
    -> [String]
  {
    let places = points.map { (x($0.documents), y($0[keyPath: value], limit)) }
    let path = places.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
    var lines = ["<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>"]
    for (x, y) in places {
      lines.append("<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"3\" fill=\"\(color)\"/>")
    }
    if let (x, y) = places.first { lines.append(text(x + 6, y - 8, name, anchor: "start", color: color)) }
    return lines
  }

  private func x(_ documents: Int) -> Double { x(Double(documents)) }
  private func x(_ documents: Double) -> Double { left + width * (log10(documents) - 3) / 3 }
  private func y(_ value: Double, _ limit: Double) -> Double { top + height * (1 - value / limit) }
  private func number(_ value: Double) -> String { String(format: "%.1f", value) }

  private func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String, dash: Bool = false
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(color)\""
      + (dash ? " stroke-dasharray=\"5 4\"/>" : "/>")
  }

  private func text(
    _ x: Double, _ y: Double, _ text: String, anchor: String, size: Int = 12, color: String = "#333"
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\" fill=\"\(color)\">"
      + "\(text)</text>"
  }
}
