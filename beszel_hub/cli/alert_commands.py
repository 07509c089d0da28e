"""Commands on rules of alerts."""

from pathlib import Path
from typing import Annotated, Final

import typer

from beszel_hub.cli.options import AsJson, DataDir, read_config, show

alerts_app: Final = typer.Typer(help="Rules of alerts.", no_args_is_help=True)


@alerts_app.command("list")
def list_rules(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List all rules, and how many alerts of each fire."""
    from beszel_hub.cli import rules  # noqa: PLC0415

    found = rules.list_rules(read_config(data_dir))
    lines = [f"{rule.id}  {rule.severity:<8}  {rule.firing:>3} firing  {rule.owner:<24}  {rule.name}" for rule in found]
    show(found, "\n".join(lines) or "There are no rules.", as_json=as_json)


@alerts_app.command("apply")
def apply_rules(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="In the form of alerts.yml; - for standard input.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make the rules for everybody what a file says; works beside a running hub."""
    from beszel_hub.cli import rules  # noqa: PLC0415

    applied = rules.apply_rules(read_config(data_dir), file)
    parts = {"made": applied.created, "changed": applied.updated, "removed": applied.removed}
    lines = [f"{what}: {', '.join(names)}" for what, names in parts.items() if names]
    show(applied, "\n".join(lines) or "Everything is as the file says.", as_json=as_json)


@alerts_app.command("export")
def export_rules(data_dir: DataDir = None) -> None:
    """Print the rules for everybody as alerts.yml, however they were made."""
    from beszel_hub.cli import rules  # noqa: PLC0415

    typer.echo(rules.export_rules(read_config(data_dir)), nl=False)


@alerts_app.command("templates")
def show_templates(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Print its rules, in the form of alerts.yml.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the sets of rules that the hub has ready."""
    from beszel_hub.cli import rules  # noqa: PLC0415

    if name is not None:
        printed = rules.print_template(name)
        show(printed, printed.text.rstrip(), as_json=as_json)
        return
    found = rules.list_templates()
    show(found, "\n".join(f"{one.name:<12} {len(one.rules):>2} rules  {one.help}" for one in found), as_json=as_json)


@alerts_app.command("test")
def try_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The name or id of a rule, or a file like alerts.yml.")],
    since: Annotated[str, typer.Option(metavar="DURATION", help="How far to look back: 90m, 12h, 7d.")] = "1d",
    system: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this system; else all that the rule watches.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show when a rule would have fired over the stored history; nobody is told."""
    from beszel_hub.cli import rules  # noqa: PLC0415

    tested = rules.try_rule(read_config(data_dir), rule, since, system)
    lines = [f"{step.at}  {step.kind:<9}  {step.severity:<8}  {step.text}" for step in tested.steps]
    lines += [
        f"From {part.since} to {part.until} only what {part.seconds} s came to is known: briefer alerts may be missing."
        for part in tested.resolutions
        if part.seconds > 1
    ]
    lines += tested.gaps
    lines.append(f"{tested.fired} times fired on {tested.systems} systems, over {tested.samples} samples.")
    show(tested, "\n".join(lines), as_json=as_json)
