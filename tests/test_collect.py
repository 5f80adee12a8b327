"""What learning platforms give to download: whose it is, which attempt, and archives that mean harm."""

import io
import json
import stat
import zipfile

import pytest
from test_cli import dlcourse

from autograder.engine.ingest import archive, roster
from autograder.engine.ingest.archive import MEMBERS
from autograder.engine.ingest.roster import Roster, read_roster
from autograder.engine.store.course import open_course
from autograder.engine.store.gradebook_reader import Person
from autograder.errors import CourseError

ROSTER = """id,first_name,last_name,email,lms_user_id
ada,Ada,Lovelace,ada@x.org,1234
jmuller,Jörg,Müller,j.mueller@x.org,77
grace.h,Grace Brewster,Hopper,grace@x.org,
amy_z,Amy,Zhang,,
zhang2,Amy,Zhang,zhang@x.org,
"""
NOTEBOOK = b'{"cells": []}'


@pytest.fixture
def course(tmp_path):
    """A course with one assignment of two files, and its roster."""
    folder = tmp_path / "course"
    (folder / "release" / "neurons").mkdir(parents=True)
    (folder / "release" / "neurons" / "neurons.ipynb").write_bytes(NOTEBOOK)
    (folder / "release" / "neurons" / "data.csv").write_text("1,2\n")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.Exchange.timezone = 'Europe/Berlin'\n")
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return folder


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def collect(course, *archives, **options):
    """(status, the result, what the screen says) of a run that takes the roster."""
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    arguments = ["collect", *archives, "--course", course, "--roster", course / "roster.csv", *words]
    status, out, err = dlcourse(*arguments, "--json")
    return status, json.loads(out) if out else None, err


def submitted(course):
    """{path below submitted/: content} of what is there now."""
    folder = course / "submitted"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


NAMES = {
    # Canvas
    "lovelaceada_1234_56789_neurons.ipynb": "ada",
    "lovelaceada_LATE_1234_56789_neurons-1.ipynb": "ada",
    "lovelaceada_LATE_9999_56789_neurons-3.ipynb": "ada",
    "müllerjörg_77_5_neurons.ipynb": "jmuller",
    "mullerjorg_78_5_neurons.ipynb": "jmuller",
    # Moodle, both ways of laying it out, and with the family name first
    "Ada Lovelace_4711_assignsubmission_file_/neurons.ipynb": "ada",
    "Ada Lovelace_4711_assignsubmission_file/neurons.ipynb": "ada",
    "Ada Lovelace_4711_assignsubmission_file_neurons.ipynb": "ada",
    "Müller Jörg_12_assignsubmission_file/neurons (1).ipynb": "jmuller",
    "Mueller, Joerg_12_assignsubmission_file/neurons.ipynb": "jmuller",
    "neurons/Hopper Grace Brewster_3_assignsubmission_file/Neurons.ipynb": "grace.h",
    # Blackboard
    "Neurons_ada_attempt_2026-10-12-18-00-00_neurons.ipynb": "ada",
    "Week_1_Neurons_amy_z_attempt_2026-10-12-18-00-00_neurons.ipynb": "amy_z",
    # Folders, and files as people name them
    "ada/neurons.ipynb": "ada",
    "ada/neurons/neurons.ipynb": "ada",
    "submitted/Ada Lovelace/neurons/neurons.ipynb": "ada",
    "Jo\u0308rg Mu\u0308ller/neurons.ipynb": "jmuller",
    "J.Mueller@x.org/neurons-Copy1.ipynb": "jmuller",
    "neurons_ada.ipynb": "ada",
    "Grace Hopper - neurons.ipynb": None,
    "grace.h - neurons (2).ipynb": "grace.h",
    "ada.ipynb": "ada",
    "1234/abgabe.ipynb": "ada",
    "zhang2/Copy of neurons.ipynb": "zhang2",
    # Two people of this name, and nobody
    "Amy Zhang/neurons.ipynb": None,
    "Eve/neurons.ipynb": None,
    "neurons.ipynb": None,
    # The number is another's than the name
    "lovelaceada_77_5_neurons.ipynb": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_whose_it_is(course, tmp_path, name):
    status, made, _ = collect(course, zipped(tmp_path / "a.zip", {name: NOTEBOOK}))
    student = NAMES[name]
    assert list(made["students"]) == ([student] if student else []) and status == (0 if student else 1)
    assert [one[1] for one in made["unmapped"]] == ([] if student else [name])
    notebooks = {path for path in submitted(course) if path.endswith(".ipynb")} if student else set()
    assert notebooks == ({f"{student}/neurons/neurons.ipynb"} if student else set())


def test_why_somebody_is_not_recognised():
    known = Roster(
        {
            one.student: one
            for one in (
                Person("ada", "Ada", "Lovelace", lms_id="17"),
                Person("zoe", "Zoe", "Li"),
                Person("li", "Zoe", "Li"),
            )
        }
    )
    assert known.find(["Ada Lovelac"]) == (None, "nobody in the roster is 'Ada Lovelac'; perhaps ada (Ada Lovelace)")
    assert known.find(["Zoe Li"]) == (None, "'Zoe Li' may be li or zoe")
    assert known.find(["Zebulon"]) == (None, "nobody in the roster is 'Zebulon'")
    assert known.find([]) == (None, "its name says nothing of a student")
    assert known.find(["li"], "17") == (None, "the number 17 is ada's and the name li's")
    assert known.find(["?"], "17") == ("ada", "")


def test_the_latest_attempt_counts_and_its_time_is_kept(course, tmp_path):
    status, made, _ = collect(
        course,
        zipped(
            tmp_path / "blackboard.zip",
            {
                "Neurons_ada_attempt_2026-10-12-18-00-00_neurons.ipynb": b"old",
                "Neurons_ada_attempt_2026-10-12-19-30-00_neurons.ipynb": b"new",
                "Neurons_ada_attempt_2026-10-12-19-30-00_data.csv": b"3,4\n",
                "Neurons_ada_attempt_2026-10-12-19-30-00.txt": b"Name: Ada Lovelace (ada)",
            },
        ),
    )
    assert status == 0 and made["unmapped"] == []
    assert submitted(course) == {
        "ada/neurons/neurons.ipynb": b"new",
        "ada/neurons/data.csv": b"3,4\n",
        "ada/neurons/timestamp.txt": b"2026-10-12 19:30:00 Europe/Berlin\n",
    }
    taken = "neurons.ipynb is there more than once; Neurons_ada_attempt_2026-10-12-19-30-00_neurons.ipynb was taken"
    assert made["notes"] == [["ada", taken]]
    assert made["missing"] == ["amy_z", "grace.h", "jmuller", "zhang2"]


def test_what_is_collected_again(course, tmp_path):
    folder = tmp_path / "handed in"
    (folder / "Ada Lovelace").mkdir(parents=True)
    (folder / "Ada Lovelace" / "neurons.ipynb").write_bytes(b"one")
    assert collect(course, folder)[0] == 0
    assert collect(course, folder)[1]["unchanged"] == 1
    (course / "submitted" / "ada" / "neurons" / "timestamp.txt").write_text("2026-10-14 12:00:00 UTC")
    (folder / "Ada Lovelace" / "neurons.ipynb").write_bytes(b"two")
    note = "replaces an earlier hand-in, whose timestamp.txt stays: check it"
    assert collect(course, folder)[1]["notes"] == [["ada", note]]
    assert submitted(course) == {
        "ada/neurons/neurons.ipynb": b"two",
        "ada/neurons/timestamp.txt": b"2026-10-14 12:00:00 UTC",
    }


def test_the_screen_says_what_a_person_has_to_know(course, tmp_path):
    made = zipped(
        tmp_path / "canvas.zip",
        {
            "lovelaceada_LATE_1234_5_neurons-1.ipynb": NOTEBOOK,
            "lovelacead_9_5_neurons.ipynb": NOTEBOOK,
            "zhang2/homework.ipynb": NOTEBOOK,
        },
    )
    status, out, err = dlcourse("collect", made, "--course", course, "--roster", course / "roster.csv")
    assert (status, err) == (
        1,
        "not mapped: lovelacead_9_5_neurons.ipynb: nobody in the roster is 'lovelacead'; perhaps ada (Ada Lovelace)\n",
    )
    assert out == (
        "neurons: 2 collected\n"
        "zhang2: homework.ipynb was taken for neurons.ipynb\n"
        "late, says the platform, which gives no time: ada\n"
        "  Write the time into submitted/STUDENT/neurons/timestamp.txt, or they count as on time\n"
        "nothing in the archive of: amy_z, grace.h, jmuller\n"
        "Grade them: dlcourse grade neurons\n"
    )


def test_a_dry_run_writes_nothing(course, tmp_path):
    made = zipped(tmp_path / "a.zip", {"ada/neurons.ipynb": NOTEBOOK})
    out = dlcourse("collect", made, "--course", course, "--roster", course / "roster.csv", "--dry-run")[1]
    assert out.startswith("neurons: 1 collected (a dry run: nothing is written)\n")
    assert not (course / "submitted").exists()


# --- archives that mean harm ------------------------------------------------------------------------------------------

OUTSIDE = [
    "../../../evil.ipynb", "ada/../../../evil.ipynb", "/etc/evil.ipynb", "ada\\..\\..\\evil.ipynb", "C:/ada/neurons.ipynb",
    "Ada Lovelace_1_assignsubmission_file_..", "Ada Lovelace_1_assignsubmission_file_../evil.py", "lovelaceada_1234_5_..",
    "Neurons_ada_attempt_2026-10-12-18-00-00_..", "ada/./neurons.ipynb", "ada//neurons.ipynb", "ada/x\x07y.py",
    "ada/" + "d/" * 40 + "x.py", "ada/" + "n" * 250 + ".py", "ada/line\nbreak.py",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE, ids=range(len(OUTSIDE)))
def test_no_name_leads_out_of_the_students_folder(course, tmp_path, name):
    before = set(tmp_path.rglob("*"))
    made = zipped(tmp_path / "a.zip", {name: b"evil", "ada/data.csv": b"1"})
    options = {"assignment": "neurons"}
    _, found, _ = collect(course, made, **options)
    assert set(submitted(course)) == {"ada/neurons/data.csv"}
    below = {course / "submitted", *(course / "submitted").rglob("*")}
    assert set(tmp_path.rglob("*")) - before - below <= {made, course / "course_secret"}
    assert len(found["notes"]) + len(found["unmapped"]) == 1


def test_bombs_links_and_secrets_are_left_out(course, tmp_path):
    made = tmp_path / "a.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("ada/zeros.bin", bytes(21_000_000))
        link = zipfile.ZipInfo("ada/passwd.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("ada/neurons.ipynb", NOTEBOOK)
        file.writestr("ada/liar.bin", bytes(21_000_000))
        file.writestr("ada/broken.py", b"x = 1\n" * 100)
    data = bytearray(made.read_bytes())
    # One promises to be small, one is damaged
    place = data.rindex(b"ada/liar.bin") - 46
    data[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    place = data.index(b"ada/broken.py") + len("ada/broken.py")
    data[place : place + 8] = b"\xff" * 8
    made.write_bytes(data)
    _, found, _ = collect(course, made)
    assert found["students"] == {"ada": ["neurons.ipynb"]}
    left_out = dict(note.split(" was left out: ") for _, note in found["notes"])
    assert left_out["ada/zeros.bin"] == "larger than 20 MB"
    assert left_out["ada/passwd.txt"] == "a link"
    assert left_out["ada/broken.py"].startswith("damaged in the archive: ")
    assert left_out["ada/liar.bin"] == "damaged in the archive: Bad CRC-32 for file 'ada/liar.bin'"
    assert submitted(course) == {"ada/neurons/neurons.ipynb": NOTEBOOK}


def test_a_submission_stays_within_its_size_and_count(course, tmp_path):
    many = {f"ada/{number}.txt": b"x" for number in range(250)}
    large = {f"zhang2/{number}.bin": bytes(15_000_000) for number in range(5)}
    _, found, _ = collect(course, zipped(tmp_path / "a.zip", many | large), assignment="neurons")
    assert len(found["students"]["ada"]) == 200
    assert found["students"]["zhang2"] == ["0.bin", "1.bin", "2.bin"]
    assert ["zhang2", "zhang2/3.bin was left out: the submission is larger than 50 MB"] in found["notes"]


def test_a_zip_that_a_student_hands_in_is_opened_once(course, tmp_path):
    def inner(files):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as file:
            for name, content in files.items():
                file.writestr(name, content)
        return data.getvalue()

    made = zipped(
        tmp_path / "moodle.zip",
        {
            "Ada Lovelace_1_assignsubmission_file/abgabe.zip": inner(
                {
                    "abgabe/neurons.ipynb": NOTEBOOK,
                    "abgabe/../../../evil.py": b"",
                    "abgabe/deep.zip": inner({"x": b"x"}),
                }
            ),
            "Amy Zhang_2_assignsubmission_file/neurons.ipynb": NOTEBOOK,
            "zhang2/neurons.zip": b"no zip at all",
        },
    )
    _, found, _ = collect(course, made)
    assert found["students"]["ada"] == ["deep.zip", "neurons.ipynb"]
    assert ["ada", "../../../evil.py was left out: its name leads out of the archive"] in found["notes"]
    broken = "zhang2/neurons.zip was left out: zhang2/neurons.zip cannot be read: File is not a zip file"
    assert ["zhang2", broken] in found["notes"] and "zhang2" not in found["students"]


def test_a_link_in_the_place_of_a_students_folder_is_not_followed(course, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (course / "submitted").mkdir()
    (course / "submitted" / "ada").symlink_to(tmp_path / "elsewhere")
    status, _, err = collect(course, zipped(tmp_path / "a.zip", {"ada/neurons.ipynb": NOTEBOOK}))
    folder = course / "submitted" / "ada" / "neurons"
    assert (status, err) == (2, f"error: {folder} is a link; nothing is collected through it\n")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MEMBERS", 3)
    path = zipped(tmp_path / "a.zip", dict.fromkeys("abcd", b""))
    with pytest.raises(CourseError, match=r"a\.zip holds 4 files; expected at most 3$"):
        list(archive.members(path))
    assert MEMBERS == 50_000


# --- rosters, and wrong calls -----------------------------------------------------------------------------------------

HEADERS = {
    "id,first_name,last_name,email\nada,Ada,Lovelace,a@x": Person("ada", "Ada", "Lovelace", "a@x"),
    "Username;First name;Surname;Email address;ID number\nada;Ada;Lovelace;a@x;17": Person("ada", "Ada", "Lovelace", "a@x", "17"),
    "Student,ID,SIS User ID,SIS Login ID,Section\n\"Lovelace, Ada\",17,,ada,1": Person("ada", "Ada", "Lovelace", "", "17"),
    "Identifier\tFull name\tUsername\nParticipant 17\tAda King Lovelace\tada": Person("ada", "Ada King", "Lovelace", "", "17"),
    "Benutzername,Vorname,Nachname\nada,Jörg,Müller": Person("ada", "Jörg", "Müller"),
}  # fmt: skip


@pytest.mark.parametrize("text", HEADERS, ids=range(len(HEADERS)))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_rosters_as_platforms_write_them(tmp_path, text, encoding):
    (tmp_path / "roster.csv").write_text(text, encoding=encoding)
    assert read_roster(tmp_path / "roster.csv") == {"ada": HEADERS[text]}


def test_a_roster_that_cannot_be_used_says_why(tmp_path):
    path = tmp_path / "roster.csv"
    for text, why in (
        ("", f"{path} is empty; expected a table with the columns id, first_name, last_name, email"),
        ("First,Last\nAda,Lovelace", f"{path} has no column with ids: expected one named id, username or SIS Login ID, got First, Last"),
        ("id\n../x", f"{path}: '../x' cannot be a student's id: a student's name is one folder name"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(CourseError) as caught:
            read_roster(path)
        assert str(caught.value) == why
    assert roster.spellings("Müller-Lüdenscheidt") == {
        "müllerlüdenscheidt",
        "mullerludenscheidt",
        "muellerluedenscheidt",
    }


def test_wrong_calls(course, tmp_path):
    known = ["--course", course, "--roster", course / "roster.csv"]
    missing = tmp_path / "none.zip"
    expected = "expected what the learning platform gives to download"
    assert dlcourse("collect", missing, *known) == (2, "", f"error: {missing} is not there; {expected}\n")
    missing.write_text("no zip")
    assert dlcourse("collect", missing, *known) == (
        2,
        "",
        f"error: {missing} is neither a zip nor a folder; {expected}\n",
    )
    status, _, err = dlcourse("collect", zipped(tmp_path / "a.zip", {"ada/x.ipynb": b""}), "--course", course)
    assert status == 2 and err.startswith(
        "error: nobody is in the gradebook, so nobody can be recognised; name the class"
    )
    (course / "release" / "layers").mkdir()
    (course / "release" / "layers" / "layers.ipynb").write_bytes(NOTEBOOK)
    both = zipped(tmp_path / "b.zip", {"ada/neurons.ipynb": b"", "ada/layers.ipynb": b""})
    why = "the archive holds notebooks of layers, neurons: choose one with --assignment"
    assert dlcourse("collect", both, *known) == (2, "", f"error: {why}\n")
    why = "no notebook in the archive has the name of one of layers, neurons: name the assignment with --assignment"
    assert dlcourse("collect", tmp_path / "a.zip", *known) == (2, "", f"error: {why}\n")
    assert open_course(course).assignments() == ["layers", "neurons"]
