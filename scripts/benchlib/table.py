"""table.py - rows of measured values as text, or as a table of a page.

A row is a name and, for each runtime, its values.  Printed are the median, in the
text also the least and the most of the rounds, and the ratio to the first runtime
and to the last one that is not Redoubt."""
import statistics


class Rows:
    def __init__(self, names):
        self.names, self.rows = list(names), {}

    def add(self, row, name, value):
        self.rows.setdefault(row, {}).setdefault(name, []).append(value)


def number(v):
    return f"{v:.0f}" if v >= 100 else f"{v:.1f}" if v >= 10 else f"{v:.2f}"


def cell(values, spread):
    if not values:
        return "-"
    text = number(statistics.median(values))
    if spread and len(values) > 1:
        text += f" ({number(min(values))}..{number(max(values))})"
    return text


def ratio(values, base):
    return f"{statistics.median(values) / statistics.median(base):.2f}" if values and base and statistics.median(base) else "-"


def print_lines(head, lines, markdown):
    """head and lines: lists of texts, equally long."""
    if markdown:
        for i, l in enumerate([head] + lines):
            print("| " + " | ".join(l) + " |")
            if i == 0:
                print("|---|" + "---:|" * (len(head) - 1))
    else:
        widths = [max(len(l[i]) for l in [head] + lines) for i in range(len(head))]
        for l in [head] + lines:
            print(l[0].ljust(widths[0]) + "".join("  " + c.rjust(w) for c, w in zip(l[1:], widths[1:])))
    print(flush=True)


def print_table(title, unit, rows, markdown):
    names = [n for n in rows.names if any(n in r for r in rows.rows.values())]
    bases = []  # native first, then each foreign runtime
    if len(names) > 1:
        bases = [n for n in names if n not in ("ptrace", "systrap")]
    ours = [n for n in names if n in ("ptrace", "systrap")]
    ratios = [(o, b) for b in bases for o in ours]
    head = [f"{title}, {unit}"] + names + [f"{o}/{b}" for o, b in ratios]
    lines = []
    for row, values in rows.rows.items():
        lines.append([row] + [cell(values.get(n), not markdown) for n in names] + [ratio(values.get(o), values.get(b)) for o, b in ratios])
    print_lines(head, lines, markdown)
