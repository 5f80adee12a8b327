"""Archives and rosters by the branch, without a course: members, their names and limits, and whose file a hint means."""

import errno
import io
import os
import stat
import zipfile

import pytest

from autograder.engine.ingest import archive, roster
from autograder.engine.ingest.archive import Member, file_problem, inside, members
from autograder.engine.ingest.roster import Roster, read_roster, spellings
from autograder.engine.store.gradebook_reader import Person
from autograder.errors import CourseError


def zipped(target, *files):
    with zipfile.ZipFile(target, "w") as made:
        for name, data in files:
            made.writestr(name, data)
    return target


def found(path):
    return [(one.archive, one.name, one.problem, one.read()) for one in members(path)]


NAMES = [
    "b.py",
    "a/c.py",
    "__MACOSX/x",
    "a/.DS_Store",
    "a/._c.py",
    "Thumbs.db",
    ".ipynb_checkpoints/n",
    "x/__pycache__/y",
    ".keep",
]


def test_the_files_of_a_zip_and_of_a_folder_are_sorted_and_without_noise(tmp_path):
    path = zipped(tmp_path / "a.zip", ("empty/", b""), *((name, name.encode()) for name in NAMES))
    folder = tmp_path / "folder"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    for place in (path, folder):
        assert found(place) == [(str(place), name, "", name.encode()) for name in (".keep", "a/c.py", "b.py")]
    assert Member("a", "b/c/d", None).parts == ("b", "c", "d")


def test_what_is_no_archive(tmp_path):
    (tmp_path / "text").write_text("x")
    for name, what in (("text", "neither a zip nor a folder"), ("gone", "not there")):
        with pytest.raises(CourseError) as caught:
            list(members(tmp_path / name))
        assert (
            str(caught.value) == f"{tmp_path / name} is {what}; expected what the learning platform gives to download"
        )


def broken(data):
    def read():
        return data

    return Member("outer.zip", "ada/x.zip", read)


def test_a_zip_within_an_archive_loses_the_one_folder_that_holds_it():
    def names(*files):
        data = zipped(io.BytesIO(), *((name, b"x") for name in files)).getvalue()
        return [(one.archive, one.name, one.read()) for one in inside(broken(data))]

    assert names("top/a", "top/in/b", "__MACOSX/c") == [("ada/x.zip", "a", b"x"), ("ada/x.zip", "in/b", b"x")]
    assert names("top/a", "other/b") == [("ada/x.zip", "top/a", b"x"), ("ada/x.zip", "other/b", b"x")]
    assert names("a", "b") == [("ada/x.zip", "a", b"x"), ("ada/x.zip", "b", b"x")]
    assert names("a", "top/b") == [("ada/x.zip", "a", b"x"), ("ada/x.zip", "top/b", b"x")]
    assert names() == []
    with pytest.raises(CourseError) as caught:
        inside(broken(b"no zip"))
    assert str(caught.value) == "ada/x.zip cannot be read: File is not a zip file"


def test_the_number_of_members_has_an_end(tmp_path, monkeypatch):
    path, folder = zipped(tmp_path / "a.zip", ("a", b""), ("b/c", b"")), tmp_path / "f"
    (folder / "b").mkdir(parents=True)
    (folder / "a").write_text("")
    (folder / "b" / "c").write_text("")
    monkeypatch.setattr(archive, "MEMBERS", 2)
    assert [[one.name for one in members(place)] for place in (path, folder)] == [["a", "b/c"]] * 2
    monkeypatch.setattr(archive, "MEMBERS", 1)
    for place, says in ((path, "2 files; expected at most 1"), (folder, "more than 1 files")):
        with pytest.raises(CourseError) as caught:
            list(members(place))
        assert str(caught.value) == f"{place} holds {says}"


def entry(name="a", size=5, flags=0, mode=0):
    made = zipfile.ZipInfo("x")
    made.filename, made.file_size, made.flag_bits, made.external_attr = name, size, flags, mode << 16
    return made


@pytest.mark.parametrize(
    ("name", "flags", "decoded"),
    [
        ("a\\b\\c", 0, "a/b/c"),
        ("ä", 0x800, "ä"),
        # macOS writes UTF-8 and does not say so
        ("ä".encode().decode("cp437"), 0, "ä"),
        ("ä", 0, "ä"),
        ("ä".encode().decode("cp437"), 0x800, "ä".encode().decode("cp437")),
        ("\u4e00", 0, "\u4e00"),
    ],
)
def test_the_name_of_a_member(name, flags, decoded):
    assert archive._decoded(entry(name, flags=flags)) == decoded


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (entry(), ""),
        (entry(mode=stat.S_IFREG | 0o777), ""),
        (entry(mode=stat.S_IFLNK | 0o777), "a link"),
        (entry(flags=0x1), "encrypted"),
        (entry(flags=0x800), ""),
        (entry(size=20_000_000), ""),
        (entry(size=20_000_001), "larger than 20 MB"),
        (entry("../a"), "its name leads out of the archive"),
    ],
)
def test_why_a_member_of_a_zip_is_left_out(made, problem):
    assert archive._zip_problem(made, made.filename) == problem


OUT, PLAIN, LONG = (
    "its name leads out of the archive",
    "its name is not plain text",
    "its name is too long, or too deep",
)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a/b.c", ""), ("a:b/c", ""), ("a/c:", ""), ("..a/b..", ""), ("/a", OUT), ("a/../b", OUT), ("a/./b", OUT), ("..", OUT),
        ("C:/a", OUT), ("a\x07", PLAIN), ("a\nb", PLAIN), ("a\tb", PLAIN), ("a//b", LONG), ("a/", LONG),
        ("/".join("a" * 10), ""), ("/".join("a" * 11), LONG), ("n" * 200, ""), ("n" * 201, LONG), ("ä" * 101, LONG),
    ],
)  # fmt: skip
def test_a_name_under_which_a_file_may_be_written(name, problem):
    assert file_problem(name) == problem


def test_what_is_read_has_its_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FILE_BYTES", 3_000_000)
    (tmp_path / "f").mkdir()
    for name, size, problem in (("a", 3_000_000, ""), ("b", 3_000_001, "larger than 3 MB")):
        (tmp_path / "f" / name).write_bytes(bytes(size))
        path = zipped(tmp_path / f"{name}.zip", (name, bytes(size)))
        (inner,) = members(path)
        (outer,) = (one for one in members(tmp_path / "f") if one.name == name)
        for one in (inner, outer):
            assert one.problem == problem
            if problem:
                with pytest.raises(OSError) as caught:
                    one.read()
                assert (caught.value.errno, caught.value.strerror) == (errno.EFBIG, problem)
            else:
                assert len(one.read()) == size


def test_a_damaged_member_is_an_error_of_reading(tmp_path):
    path = zipped(tmp_path / "a.zip", ("a.txt", b"content"))
    path.write_bytes(path.read_bytes().replace(b"content", b"another"))
    (one,) = members(path)
    with pytest.raises(OSError) as caught:
        one.read()
    assert caught.value.errno == errno.EIO
    assert caught.value.strerror == "damaged in the archive: Bad CRC-32 for file 'a.txt'"


def test_links_and_pipes_of_a_folder_are_left_out(tmp_path):
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a\tb").write_text("")
    assert {one.name: one.problem for one in members(tmp_path)} == {
        "real": "", "link": "a link, or no regular file", "pipe": "a link, or no regular file", "a\tb": PLAIN,
    }  # fmt: skip
    (link,) = (one for one in members(tmp_path) if one.name == "link")
    with pytest.raises(OSError) as caught:
        link.read()
    assert caught.value.errno == errno.ELOOP
    assert archive._file_problem(tmp_path / "gone", "gone") == "cannot be read (No such file or directory)"


# --- rosters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ada King-Lovelace", {"adakinglovelace"}),
        ("Øre Åse", {"øreåse", "ørease", "oereaase"}),
        ("Mu\u0308ller 2", {"müller2", "muller2", "mueller2"}),
        ("STRASSE", {"strasse"}),
        ("Straße", {"strasse"}),
        ("é", {"é", "e"}),
        ("- _", set()),
        ("", set()),
    ],
)
def test_how_a_name_may_be_written(text, found):
    assert spellings(text) == found


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["ID", "First Name", "last_name", "E-Mail"], {"student": 0, "first_name": 1, "last_name": 2, "email": 3}),
        (["Login", "Vorname", "Nachname", "E-Mail-Adresse"], {"student": 0, "first_name": 1, "last_name": 2, "email": 3}),
        (["username", "student_id", "id"], {"student": 2}),
        (["Student", "ID", "SIS User ID", "SIS Login ID"], {"student": 3, "lms_id": 1, "name": 0}),
        (["Given name", "Family name", "Matrikelnummer", "Benutzername"], {"first_name": 0, "last_name": 1, "lms_id": 2, "student": 3}),
        (["Vollständiger Name", "mail", "User-ID"], {"name": 0, "email": 1, "lms_id": 2}),
        (["", "color"], {}),
    ],
)  # fmt: skip
def test_the_columns_of_a_roster(header, columns):
    assert roster._columns(header) == columns


@pytest.mark.parametrize(
    ("values", "person"),
    [
        ({"student": "a"}, Person("a")),
        ({"student": "a", "name": "Ada King Lovelace"}, Person("a", "Ada King", "Lovelace")),
        ({"student": "a", "name": "Lovelace, Ada, K"}, Person("a", "Ada, K", "Lovelace")),
        ({"student": "a", "name": " Ada "}, Person("a", "Ada", "")),
        ({"student": "a", "name": "Ada"}, Person("a", "", "Ada")),
        ({"student": "a", "name": "X Y", "last_name": "L", "first_name": "A"}, Person("a", "A", "L")),
        ({"student": "a", "lms_id": "Participant 1234"}, Person("a", lms_id="1234")),
        ({"student": "a", "lms_id": "AB 12 34"}, Person("a", lms_id="AB 12 34")),
        ({"student": "a", "lms_id": "x1234"}, Person("a", lms_id="x1234")),
    ],
)
def test_a_person_of_a_roster(values, person):
    assert roster._person(values) == person


def test_a_roster_is_read_row_by_row(tmp_path, monkeypatch):
    path = tmp_path / "roster.csv"
    path.write_text("id,email,first_name\n ada , a@x \n\n,nobody\neve,e@x,Eve,more\nada,new@x\n")
    assert read_roster(path) == {"ada": Person("ada", email="new@x"), "eve": Person("eve", "Eve", "", "e@x")}
    path.write_bytes("id,first_name\nada,J\xf6rg \x81".encode("latin-1"))
    assert read_roster(path)["ada"].first_name == "Jörg \ufffd"
    monkeypatch.setattr(roster, "_ROSTER_BYTES", 10)
    path.write_text("id,mail\na,b")
    assert read_roster(path) == {"a": Person("a")}
    with pytest.raises(CourseError) as caught:
        read_roster(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path / 'none'} cannot be read: No such file or directory"
    path.write_text("name,mail\n")
    with pytest.raises(CourseError) as caught:
        read_roster(path)
    assert (
        str(caught.value)
        == f"{path} has no column with ids: expected one named id, username or SIS Login ID, got name, mail"
    )


KNOWN = Roster(
    {
        one.student: one
        for one in (
            Person("ada", "Ada", "Lovelace", "lovelace@x.org", "17"),
            Person("zoe@uni.edu", "Zoe", "Li", "z.li@x.org"),
            Person("li", "Zoe", "Li", "", "18"),
        )
    }
)
NOBODY = "its name says nothing of a student"


@pytest.mark.parametrize(
    ("hints", "number", "found"),
    [
        (["ada"], "", ("ada", "")),
        (["ADA"], "", ("ada", "")),
        (["Ada Lovelace"], "", ("ada", "")),
        (["lovelace-ada"], "", ("ada", "")),
        (["lovelace@x.org"], "", ("ada", "")),
        (["lovelace"], "", ("ada", "")),
        (["17"], "", ("ada", "")),
        (["zoe"], "", ("zoe@uni.edu", "")),
        (["z.li"], "", ("zoe@uni.edu", "")),
        (["unknown one", "ada"], "", ("ada", "")),
        (["Zoe Li"], "", (None, "'Zoe Li' may be li or zoe@uni.edu")),
        (["Zoe Li", "Li Zoe"], "", (None, "'Zoe Li' may be li or zoe@uni.edu")),
        (["Zoe Li", "li"], "", ("li", "")),
        (["Ada Lovelaze"], "", (None, "nobody in the roster is 'Ada Lovelaze'; perhaps ada (Ada Lovelace)")),
        (["xyz", "Ada Lovelaze"], "", (None, "nobody in the roster is 'Ada Lovelaze'; perhaps ada (Ada Lovelace)")),
        (["xyz", "uvw"], "", (None, "nobody in the roster is 'xyz'")),
        (["- -"], "", (None, "nobody in the roster is '- -'")),
        ([], "", (None, NOBODY)),
        ([], "17", ("ada", "")),
        (["Zoe Li"], "18", ("li", "")),
        (["ada"], "17", ("ada", "")),
        (["ada"], "99", ("ada", "")),
        ([], "99", (None, NOBODY)),
        (["ada"], "18", (None, "the number 18 is li's and the name ada's")),
    ],
)
def test_whom_a_hint_means(hints, number, found):
    assert KNOWN.find(hints, number) == found


def test_the_nearest_name_without_a_name():
    assert Roster({"lovelace": Person("lovelace")}).find(["lovelac"]) == (
        None, "nobody in the roster is 'lovelac'; perhaps lovelace"
    )  # fmt: skip
