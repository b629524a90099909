"""Line charts as SVG, side by side."""

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 350, 260, 60, 46, 44
COLOURS = ["#1f5fbf", "#a04000", "#1b6e3c"]


def chart(path, panels):
    """Each panel is a title, the name of the x axis, the places along it, and lines by name, all with as many values as places."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(panels)} {HEIGHT}" font-family="sans-serif" font-size="11" fill="#333">',
        f'<rect width="{WIDTH * len(panels)}" height="{HEIGHT}" fill="#fff"/>']
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number * WIDTH} 0)">')
        parts += draw(*panel)
        parts.append("</g>")
    with open(path, "w") as file:
        file.write("\n".join(parts + ["</svg>", ""]))


def draw(title, axis, places, lines):
    highest = max(value for values in lines.values() for value in values)
    step = next(each for power in (1, 10, 100, 1000, 10_000) for each in (power, 2 * power, 5 * power) if highest / each <= 5)
    top = step * -(-highest // step)
    across = (WIDTH - LEFT - 56) / max(1, len(places) - 1)

    def at(index, value):
        return LEFT + 10 + index * across, HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top

    yield f'<text x="{WIDTH / 2}" y="18" text-anchor="middle" font-size="13">{title}</text>'
    for tick in range(int(top // step) + 1):
        _, y = at(0, tick * step)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 30}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick * step:,.0f}</text>'
    for index, place in enumerate(places):
        yield f'<text x="{at(index, 0)[0]:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{place}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{axis}</text>'
    for (name, values), colour, row in zip(lines.items(), COLOURS, range(len(lines))):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(index, value) for index, value in enumerate(values)))
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for index, value in enumerate(values):
            x, y = at(index, value)
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        yield f'<text x="{LEFT + 10}" y="{36 + 12 * row}" fill="{colour}">{name}</text>'
