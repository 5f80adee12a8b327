"""What plain `nbgrader autograde` does with every attack, behind walls; stored, because it takes most of an hour.

Each attack is graded in its own course together with an honest submission that comes after it, while the gradebook
already holds the grade of one that came before. The walls (bubblewrap, another user, limits of processes, memory and file
size) are there for this machine's sake and wider than any of the attacks needs to show what it does.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import all_attacks
from .assignment import ASSIGNMENT, POINTS, hand_in, make_course, released_notebook
from .observe import Listener, canaries_in, changed, fingerprint, make_scene, running, scores

STORED = Path(__file__).parent / "plain.json"
USER = 12345
CELL_SECONDS = 15
WHOLE_SECONDS = 90
BEFORE, AFTER = "ada", "zoe"
TOGETHER, GROUP = ("files", "cells", "cheating", "breaking", "showing"), 8


def stored():
    """{"version": nbgrader's, "attacks": {slug: what happened}}."""
    if not STORED.exists():
        return {"version": "", "attacks": {}}
    return json.loads(STORED.read_text(encoding="utf-8"))


def store(found):
    ordered = {attack.slug: found[attack.slug] for attack in all_attacks() if attack.slug in found}
    from importlib.metadata import version

    lines = ",\n".join(
        f"  {json.dumps(slug)}: {json.dumps(entry, ensure_ascii=False)}" for slug, entry in ordered.items()
    )
    written = STORED.with_suffix(".new")
    written.write_text(f'{{"version": "{version("nbgrader")}", "attacks": {{\n{lines}\n}}}}\n', encoding="utf-8")
    written.replace(STORED)


def cannot_run():
    """Why the walls cannot be built here; "" where they can."""
    if os.geteuid() != 0:
        return "plain nbgrader is walled in by root alone: its processes become another user's"
    missing = [name for name in ("bwrap", "setpriv", "prlimit") if shutil.which(name) is None]
    return f"needs {', '.join(missing)}" if missing else ""


def template(folder):
    """A course in which one honest submission is graded already."""
    course = make_course(
        folder / "course", f"c.Execute.timeout = {CELL_SECONDS}\nc.Autograde.pop('autograde_preprocessors', None)\n"
    )
    hand_in(course, BEFORE)
    log, _, _ = autograde(course, folder)
    first = scores(course / "gradebook.db", ASSIGNMENT).get(BEFORE)
    if first is None or first[0] != sum(POINTS.values()):
        raise SystemExit(f"plain nbgrader does not give an honest submission its points here, but {first}:\n{log}")
    return course


def autograde(course, scratch, seconds=WHOLE_SECONDS):
    """Run nbgrader's command on the whole class behind walls; (its log, seconds, processes left; None: it never ended)."""
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    for parent, folders, files in os.walk(scratch):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(parent, name), USER, USER, follow_symlinks=False)
    # The Python that runs, the environment with nbgrader and this project may lie under a home that only root can enter
    needed = [Path(os.path.realpath(sys.base_prefix)), Path(sys.prefix), Path(__file__).parents[2]]
    # What bubblewrap makes on its own is for root alone
    parents = [word for path in (*needed, scratch) for parent in [*path.parents][-2::-1] for word in ("--dir", parent)]
    walls = [
        *("bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--new-session"),
        *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/root"),
        *parents,
        *(word for path in needed for word in ("--ro-bind", path, path)),
        *("--bind", scratch, scratch, "--chdir", course),
        *("--setenv", "HOME", home, "--setenv", "PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin"),
        *("--setenv", "OMP_NUM_THREADS", "1", "--setenv", "OPENBLAS_NUM_THREADS", "1"),
        *("--setenv", "DLCOURSE_CANARY", "CANARY" + "environment", "--setenv", "PYTHONDONTWRITEBYTECODE", "1"),
    ]
    inside = (
        f"setpriv --reuid {USER} --regid {USER} --clear-groups prlimit --nproc=200 --as=6000000000 --fsize=400000000 "
        f"{shlex.quote(sys.executable)} -m nbgrader autograde {ASSIGNMENT} </dev/null; "
        "sleep 1; echo; echo LEFT $(ls /proc | grep -c '^[0-9][0-9]*$')"
    )
    begun = time.monotonic()
    log = scratch / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*map(str, walls), "sh", "-c", inside], stdout=file, stderr=file, stdin=subprocess.DEVNULL
        )
        try:
            process.wait(seconds)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
            process.kill()
            process.wait()
    text = log.read_text(errors="replace")
    left = text.rpartition("LEFT ")[2].strip()
    # Bubblewrap's first process, the shell, its copy, and the two that count
    count = max(0, int(left) - 5) if left.isdigit() else 0
    return text, round(time.monotonic() - begun, 1), count if ended else None


def grade(attacks, made, folder):
    """Grade attacks in one class; {slug: what came of it}, or None where several did more than fail by themselves."""
    scratch = Path(folder) / "scene"
    shutil.copytree(made, scratch / "course", symlinks=True)
    course, listener = scratch / "course", Listener()
    try:
        scene = make_scene(scratch, course, listener.port)
        released = released_notebook(course)
        for attack in attacks:
            attack.write(scene, released)
        hand_in(course, AFTER)
        watched = [course / name for name in ("source", "release", "submitted")] + [scene.safe]
        before = fingerprint(*watched)
        _, seconds, left = autograde(course, scratch, WHOLE_SECONDS + 15 * len(attacks))
        found = {str(Path(path).relative_to(scratch)) for path in changed(before, fingerprint(*watched))}
        graded = scores(course / "gradebook.db", ASSIGNMENT)

        def score(student):
            path = course / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
            return graded.get(student, (None, False))[0] if path.is_file() else None

        whole = {"after": score(AFTER), "before": score(BEFORE)}
        if left:
            whole["left"] = left
        if left is None:
            whole["never_ended"] = True
        if listener.connected:
            whole["connected"] = True
        if found:
            whole["changed"] = sorted({path.split("/")[1 if path.startswith("course") else 0] for path in found})
        full = sum(POINTS.values())
        if len(attacks) > 1 and whole != {"after": full, "before": full}:
            return None
        entries = {}
        for attack in attacks:
            entry = {"score": score(attack.folder), "seconds": round(seconds / len(attacks), 1), **whole}
            shown = outputs(course / "autograded" / attack.folder / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
            if canaries_in(shown):
                entry["read"] = canaries_in(shown)
            if running(pages(course / "autograded" / attack.folder / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")):
                entry["script"] = True
            entries[attack.slug] = entry
        return entries
    finally:
        listener.close()
        subprocess.run(["chmod", "-R", "u+rwX", scratch], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(scratch, ignore_errors=True)


def outputs(path):
    """The outputs of an autograded notebook as one text."""
    pieces = []
    for output in _outputs(path):
        pieces += _texts(output.get("text", "")) + _texts(output.get("traceback", ""))
        pieces += [text for value in output.get("data", {}).values() for text in _texts(value)]
    return "\n".join(pieces)


def pages(path):
    """What a browser reads as HTML of it: the text cells, and outputs that are neither plain text nor pictures."""
    pieces = ["".join(cell["source"]) for cell in _cells(path) if cell["cell_type"] != "code"]
    for output in _outputs(path):
        for kind, value in output.get("data", {}).items():
            if kind == "application/javascript":
                pieces.append(f"<script>{''.join(value)}</script>")
            elif kind not in ("text/plain", "image/png"):
                pieces += _texts(value)
    return "\n".join(pieces)


def _cells(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return []


def _outputs(path):
    return [output for cell in _cells(path) for output in cell.get("outputs", [])]


def _texts(value):
    return ["".join(value)] if isinstance(value, list) else [value] if isinstance(value, str) else []


def main(names=(), again=False, part="1/1"):
    """Grade what is not stored yet (or the named ones) and store it as it comes; part "1/2" is the first half."""
    if cannot_run():
        raise SystemExit(f"error: {cannot_run()}")
    which, parts = map(int, part.split("/"))
    found = stored()["attacks"]
    todo = [
        attack for attack in all_attacks() if (attack.slug in names if names else again or attack.slug not in found)
    ]
    groups = []
    for attack in todo:
        # Those that stay in their own process by nature share a class; the others have one each
        if attack.theme in TOGETHER and groups and groups[-1][0].theme == attack.theme and len(groups[-1]) < GROUP:
            groups[-1].append(attack)
        else:
            groups.append([attack])
    with tempfile.TemporaryDirectory(prefix="dlcourse-plain-") as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        (folder / "template").mkdir()
        made = template(folder / "template")
        for number, group in enumerate(groups):
            if number % parts != which - 1:
                continue
            entries = grade(group, made, folder)
            if entries is None:
                entries = {slug: entry for attack in group for slug, entry in grade([attack], made, folder).items()}
            store(stored()["attacks"] | entries)
            print(f"{number + 1}/{len(groups)} {json.dumps(entries, ensure_ascii=False)}", flush=True)
