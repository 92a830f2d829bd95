# SPDX-License-Identifier: Apache-2.0
"""The words of ``airflow mlconnector``. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from pathlib import Path

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command

_COMMANDS = "airflow_provider_mlconnector.cli"

_OUTPUT = Arg(("-o", "--output"), help="table or json", choices=("table", "json"), default="table")
_FLOWS = Arg(
    ("--flows",), help="A flow file, or a folder of them (default: <dags folder>/flows)", type=Path, default=None
)
_FLOW = Arg(("--flow",), help="Name of one flow (default: all)", default="")


def _command(name: str, help_text: str, function: str, *args: Arg) -> ActionCommand:
    return ActionCommand(name, help_text, lazy_load_command(f"{_COMMANDS}.{function}"), (*args, _OUTPUT))


_TRAIL = GroupCommand(
    "trail",
    "What happened, to the single record",
    (
        _command("runs", "List the latest runs", "trail.runs", _FLOW),
        _command(
            "show",
            "Tell the whole way of a record, or the events of a run",
            "trail.show",
            Arg(("--record",), help="The ERP's id of the record", default=""),
            Arg(("--run",), help="Id of a run, as 'trail runs' lists it", default=""),
            _FLOW,
        ),
        _command(
            "verify",
            "Check the hash chains and the staged files",
            "trail.verify",
            Arg(
                ("--expect",),
                help="Comma-separated hashes that were kept: the history up to them is proven",
                default="",
            ),
            _FLOW,
        ),
        _command("head", "Print the hash that proves each flow's history, to be kept elsewhere", "trail.head", _FLOW),
        _command(
            "prune",
            "Replace old runs by their closing hash, and delete the staged files that nobody needs",
            "prune.prune",
            Arg(("--keep-days",), help="Keep what closed within so many days", type=int, default=None),
            Arg(("--before",), help="Remove what closed before this day or moment (UTC)", default=""),
            Arg(("--dry-run",), help="Only say what would go", action="store_true"),
            _FLOW,
        ),
        _command(
            "rejects", "List a run's rejected and quarantined rows", "trail.rejects", Arg(("run",), help="Run id")
        ),
        _command(
            "documents",
            "List the drafts that plans became",
            "trail.documents",
            Arg(("--period",), help="Key of one fiscal period (default: all)", default=""),
            _FLOW,
        ),
    ),
)

_COMMAND_LIST: tuple[CLICommand, ...] = (
    _command("setup", "Create the trail's tables and the pools of all flows", "setup.setup", _FLOWS),
    _command("doctor", "Look for what would go wrong, and say what to do", "doctor.doctor", _FLOWS),
    _command(
        "login",
        "Let a person log in by OAuth, to Anaplan or Acumatica",
        "login.login",
        Arg(("--conn-id",), help="Airflow connection", default="anaplan_default"),
        Arg(
            ("--redirect-uri",),
            help="Use the authorization-code grant with this registered address (default: device grant)",
            default="",
        ),
    ),
    GroupCommand(
        "flows",
        "Flow files",
        (
            _command("validate", "Check flow files, alone and together", "flows.validate", _FLOWS),
            ActionCommand(
                "schema", "Print the JSON schema of a flow file", lazy_load_command(f"{_COMMANDS}.flows.schema"), ()
            ),
        ),
    ),
    ActionCommand(
        "sandbox",
        "Serve the remote systems on this machine, for a rehearsal",
        lazy_load_command(f"{_COMMANDS}.sandbox.sandbox"),
        (
            Arg(("--systems",), help="Comma-separated", default="anaplan,business_central"),
            Arg(("--port",), help="0 picks a free one", type=int, default=0),
            Arg(("--scale",), help="Size of the books", type=int, default=1),
        ),
    ),
    _TRAIL,
    _command(
        "replay",
        "Deliver again from what is staged, without asking the ERP",
        "replay.replay",
        Arg(("--batch",), help="Id of a batch", default=""),
        Arg(("--records",), help="Comma-separated record ids", default=""),
        Arg(("--rejects",), help="Id of a run whose rejects to send again", default=""),
        Arg(("--as-sent",), help="Repeat the stored file byte for byte", action="store_true"),
        _FLOW,
        _FLOWS,
    ),
    GroupCommand(
        "db",
        "The trail's database",
        (
            _command("upgrade", "Bring its tables to this version", "db.upgrade"),
            _command("check", "Say which version it has and which it should have", "db.check"),
        ),
    ),
)


def get_mlconnector_cli_commands() -> list[CLICommand]:
    """Return the command group, for the provider's ``cli`` entry."""
    return [GroupCommand("mlconnector", "Anaplan and ERP connector", _COMMAND_LIST)]
