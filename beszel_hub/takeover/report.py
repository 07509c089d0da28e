"""What was taken over and what was not, by table, with the reason."""

from collections import Counter

import msgspec


class TableReport(msgspec.Struct, kw_only=True):
    """Every row that was found is taken, was present before, or is left out for a reason."""

    table: str
    found: int = 0
    taken: int = 0
    present: int = 0
    """Taken over by an earlier run, or the same thing made here by hand."""
    left_out: dict[str, int] = msgspec.field(default_factory=Counter)
    """How many rows by why."""

    def take(self) -> None:
        self.found += 1
        self.taken += 1

    def skip_present(self) -> None:
        self.found += 1
        self.present += 1

    def leave_out(self, reason: str, rows: int = 1) -> None:
        self.found += rows
        self.left_out[reason] = self.left_out.get(reason, 0) + rows


class Report(msgspec.Struct, kw_only=True):
    """One run."""

    dry_run: bool
    tables: list[TableReport] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)
    """What somebody has to do or to know now."""

    def table(self, name: str) -> TableReport:
        self.tables.append(TableReport(table=name))
        return self.tables[-1]


def describe(report: Report) -> str:
    """For people."""
    lines = [f"{'table':<18}{'found':>8}{'taken':>8}{'present':>9}{'left out':>10}"]
    for table in report.tables:
        left_out = sum(table.left_out.values())
        lines.append(f"{table.table:<18}{table.found:>8}{table.taken:>8}{table.present:>9}{left_out:>10}")
        lines += [f"    {count:>6}  {reason}" for reason, count in sorted(table.left_out.items())]
    lines += [f"* {note}" for note in report.notes]
    if report.dry_run:
        lines.append("This was a dry run: nothing was written.")
    return "\n".join(lines)
