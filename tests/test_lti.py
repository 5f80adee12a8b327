"""Scores pushed to a learning platform by LTI 1.3: a mock platform checks the signature, the scopes and what arrives."""

import http.server
import json
import threading
import urllib.parse

import classes
import pytest
import records
from test_cli import dlcourse

from autograder.engine.run import grade_class
from autograder.engine.store import gradebook
from autograder.engine.store.course import open_course
from autograder.errors import CourseError
from autograder.reports import lti

pytest.importorskip("nbgrader")
pytest.importorskip("pylti1p3", reason="pylti1p3next is not installed (the extra lti)")
MEMBERS = [
    {"user_id": "u-1", "name": "Ada Lovelace", "email": "ada@x.org"},
    {"user_id": "u-2", "given_name": "Alan", "family_name": "Turing"},
    {"user_id": "u-9", "name": "The Teacher", "email": "teacher@x.org"},
]


class Platform(http.server.BaseHTTPRequestHandler):
    """What a platform asks of a tool: a signed request for a token, and that token for every service."""

    def log_message(self, *words):
        pass

    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.headers["Authorization"] != "Bearer the-token" or "contextmembership" not in self.server.scopes[-1]:
            return self.answer(401, {"error": "no token"})
        return self.answer(200, {"id": self.path, "members": MEMBERS})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/token":
            return self.token({name: values[0] for name, values in urllib.parse.parse_qs(body).items()})
        if self.headers["Authorization"] != "Bearer the-token":
            return self.answer(401, {"error": "no token"})
        if json.loads(body)["userId"] in self.server.refused:
            return self.answer(422, {"error": "this user is not in the course"})
        assert self.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"
        self.server.scores.append((self.path, json.loads(body)))
        return self.answer(200, {})

    def token(self, asked):
        import jwt

        claims = jwt.decode(
            asked["client_assertion"], self.server.public_key, ["RS256"], audience=f"{self.server.url}/token"
        )
        assert claims["iss"] == claims["sub"] == "the-course" and asked["grant_type"] == "client_credentials"
        self.server.scopes.append(asked["scope"])
        return self.answer(200, {"access_token": "the-token", "expires_in": 3600, "token_type": "Bearer"})


@pytest.fixture
def platform():
    from cryptography.hazmat.primitives.asymmetric import rsa

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server.public_key, server.scores, server.scopes, server.refused = server.key.public_key(), [], [], ()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def graded(course, platform):
    """ada has everything read, alan has not; eve is graded and nobody's member; grace handed in nothing."""
    from cryptography.hazmat.primitives import serialization
    from nbgrader.api import Gradebook

    with gradebook.alembic_on_path(), Gradebook(open_course(course).db_url) as book:
        book.add_student("ada", email="ada@x.org", first_name="Ada", last_name="Lovelace", lms_user_id="17")
        book.add_student("alan", first_name="Alan", last_name="Turing")
        book.add_student("grace", lms_user_id="18")
    for student in ("ada", "alan", "eve"):
        classes.hand_in(course, student, classes.answered(course, classes.HALF))
    assert grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader).complete
    with Gradebook(open_course(course).db_url) as book:
        for notebook in book.find_submission(classes.NAME, "ada").notebooks:
            for grade in notebook.grades:
                if grade.needs_manual_grade:
                    grade.manual_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()
    pem = platform.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (course / "key.pem").write_bytes(pem)
    write_config(course, platform, members_url=f"{platform.url}/members")
    return course


def write_config(course, platform, **more):
    settings = {
        "issuer": platform.url,
        "client_id": "the-course",
        "token_url": f"{platform.url}/token",
        "private_key": "key.pem",
        "feedback_url": "https://dl.example.org/{student}/{assignment}/{notebook}.html",
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in (settings | more).items()]
    text = "\n".join([*lines, "[lineitems]", f'small = "{platform.url}/items/5?type=x"', ""])
    (course / "lti.toml").write_text(text)


def test_scores_arrive_with_the_mistakes_and_the_page(graded, platform):
    status, out, err = dlcourse("push", classes.NAME, "--course", graded)
    nobody = "no score for eve: the platform's list of members has nobody of this name, email or number\n"
    assert (status, out, err) == (1, "small: 2 scores sent\n", nobody)
    assert [path for path, _ in platform.scores] == ["/items/5/scores?type=x"] * 2
    ada, alan = (score for _, score in platform.scores)
    assert (ada["userId"], ada["scoreGiven"], ada["scoreMaximum"]) == ("u-1", 6.0, 8.0)
    assert (ada["activityProgress"], ada["gradingProgress"]) == ("Completed", "FullyGraded")
    # An answer of alan's is not read yet
    assert (alan["userId"], alan["scoreGiven"], alan["gradingProgress"]) == ("u-2", 4.0, "PendingManual")
    assert ada["comment"] == "2 of 3 checked exercises right. https://dl.example.org/ada/small/small.html"
    assert "2026" in ada["timestamp"] or ada["timestamp"][:2] == "20"
    # The same again is not sent again, a changed score is
    assert dlcourse("push", classes.NAME, "--course", graded)[1] == "small: 0 scores sent, 2 had nothing new\n"
    classes.hand_in(graded, "ada", classes.answered(graded, classes.RIGHT_ANSWERS))
    grade_class(open_course(graded), classes.NAME, workers=1, grader=classes.FakeGrader)
    assert dlcourse("push", classes.NAME, "--course", graded)[1] == "small: 1 score sent, 1 had nothing new\n"


def test_a_comment_names_the_mistakes():
    wrong = {"neurons.linear_neuron_grad": "bias_not_summed", "neurons.perceptron_predict": "classes_zero_one"}
    said = lti.comment(records.record("a b", wrong), "https://x.org/{student}/{assignment}")
    assert said == (
        "16 of 18 checked exercises right. Known mistakes: classes zero one (neurons.perceptron_predict), bias not summed "
        "(neurons.linear_neuron_grad). https://x.org/a%20b/neurons"
    )


def test_without_a_list_of_members_the_gradebooks_numbers_count(graded, platform):
    write_config(graded, platform)
    platform.refused = ("17",)
    status, out, err = dlcourse("push", classes.NAME, "--course", graded)
    missing = "the gradebook has no lms_user_id for them, and lti.toml no members_url"
    assert (status, out) == (1, "small: 0 scores sent\n")
    assert err.splitlines() == [
        f"no score for eve: {missing}",
        f"no score for alan: {missing}",
        'no score for ada: it answered 422 ({"error": "this user is not in the course"})',
    ]


def test_a_dry_run_asks_nobody(graded, platform):
    assert dlcourse("push", classes.NAME, "--course", graded, "--dry-run")[:2] == (0, "small: 3 scores would be sent\n")
    assert platform.scores == platform.scopes == []


def test_what_is_wrong_with_the_settings_is_said(tmp_path):
    path = tmp_path / "lti.toml"
    shows = "docs/instructors/lms.md shows what it holds"
    whole = 'issuer = "i"\nclient_id = "c"\ntoken_url = "{url}"\nprivate_key = "k.pem"\n'
    for text, why in (
        (None, f"there is no {path}; {shows}"),
        ("issuer = 'x'", f"{path} lacks client_id, token_url, private_key; {shows}"),
        (whole.format(url="http://x.org/t"), f"{path}: grades travel by https only, got http://x.org/t"),
    ):
        if text is not None:
            path.write_text(text)
        with pytest.raises(CourseError) as caught:
            lti.read_config(path)
        assert str(caught.value) == why
    path.write_text("= 1")
    with pytest.raises(CourseError, match=r"lti\.toml is not valid TOML: "):
        lti.read_config(path)
    path.write_text(whole.format(url="https://x.org/t"))
    with pytest.raises(CourseError, match=r"the private key .*k\.pem cannot be read: "):
        lti.read_config(path)
