"""Materials: who gets them, and that nobody learns what there is for others."""
import re

import letters  # noqa: F401
from harness import eventually
from scene import Scene
from test_inform import mail, opened

BYTES = bytes(range(256)) * 40


def scene_with(t, *options, officials=2):
    scene = Scene(t, officials)
    path = t.dir / "guide.pdf"
    path.write_bytes(BYTES)
    scene.gateway.ctl("material", "add", "guide", path, "--title", "How to harden plants",
                      *options)
    return scene


def ask(scene, person, name, count=1, shape="encrypted"):
    row = scene.drop(mail(person, f"Request: {name}\n\n> quoted: text {count}\n", shape=shape))
    assert (row["state"], row["meaning"]) == ("done", "request"), row
    return opened(scene, person, count)


def refused(scene, person, name, count=1):
    got = ask(scene, person, name, count)
    assert "no material of this name for you" in got.text and not got.attachments
    return got.text


def events(scene):
    return [(row["event"], row["subject"]) for row in scene.gateway.audit()
            if row["event"].startswith("material.") and row["event"] != "material.add"]


def test_entitled_contact_gets_it_encrypted(t):
    scene = scene_with(t, "--for", "us-de")
    got = ask(scene, scene.official, "guide")
    assert got.attachments == [("guide.pdf", "application/octet-stream", BYTES)]
    assert "TLP:AMBER" in got.text and "How to harden plants" in got.text
    assert events(scene) == [("material.handed-out", f"guide {scene.official.address}")]


def test_request_signed_in_the_clear_is_answered_encrypted(t):
    scene = scene_with(t, "--for", "all")
    assert ask(scene, scene.official, "guide", shape="signed").attachments


def test_what_one_may_not_have_is_answered_as_what_does_not_exist(t):
    scene = scene_with(t, "--for", "us-de")
    other = scene.officials[1]
    texts = {refused(scene, other, "guide", 1), refused(scene, other, "nothing", 2),
             refused(scene, other, "No Name!", 3)}
    assert len(texts) == 1
    sizes = [len(m.raw) for m in scene.smarthost.received(other.address)]
    assert max(sizes) - min(sizes) < 40, sizes
    rows = scene.gateway.arrivals()
    assert len({(row["state"], row["reason"]) for row in rows}) == 1, rows
    assert [event for event, _ in events(scene)] == ["material.refused"] * 3


def test_clearance_decides(t):
    scene = Scene(t, 0)
    low = scene.gateway.admit(t.official("low@us-de.example"), clearance="GREEN")
    (t.dir / "f").write_bytes(b"x")
    scene.gateway.ctl("material", "add", "guide", t.dir / "f", "--for", "all", "--clearance",
                      "AMBER")
    refused(scene, low, "guide")


def test_suspended_member_gets_nothing(t):
    scene = scene_with(t, "--for", "all")
    scene.gateway.ctl("member", "suspend", "us-de")
    refused(scene, scene.official, "guide")


def test_group_counts_as_it_is_at_the_time_of_the_request(t):
    scene = Scene(t)
    scene.gateway.ctl("group", "add", "energy", "us-de")
    (t.dir / "f").write_bytes(b"x")
    scene.gateway.ctl("material", "add", "guide", t.dir / "f", "--for", "energy")
    assert ask(scene, scene.official, "guide").attachments
    scene.gateway.ctl("group", "remove", "energy")
    refused(scene, scene.official, "guide", 2)


def test_list_names_only_what_there_is_for_the_contact(t):
    scene = scene_with(t, "--for", "us-de")
    (t.dir / "f").write_bytes(b"x")
    scene.gateway.ctl("material", "add", "other", t.dir / "f", "--for", "us-ca", "--title",
                      "For Canada")
    text = ask(scene, scene.official, "list").text
    assert "guide" in text and "How to harden plants" in text and f"{len(BYTES)} bytes" in text
    assert "TLP:AMBER" in text and "other" not in text and "Canada" not in text


def test_same_signed_request_again_causes_no_second_mail(t):
    scene = scene_with(t, "--for", "all")
    raw = mail(scene.official, "Request: guide\n")
    scene.drop(raw)
    opened(scene, scene.official)
    row = scene.drop(raw.replace(b"Subject: Re: [...]", b"Subject: again"))
    assert row["meaning"] == "duplicate", row
    assert len(scene.smarthost.received()) == 1


def test_admin_lists_and_removes_and_nothing_rests_in_the_clear(t):
    scene = scene_with(t, "--for", "all", "--clearance", "RED")
    rows = scene.gateway.rows("material", "list")
    assert [(r["name"], r["tlp"], r["for"], r["size"], r["title"]) for r in rows] == [
        ("guide", "RED", "all", len(BYTES), "How to harden plants")]
    state = b"".join(path.read_bytes() for path in (scene.gateway.dir / "state").glob("store.db*"))
    for words in (b"harden", b"guide.pdf", BYTES[:64]):
        assert words not in state
    scene.gateway.ctl("material", "add", "guide", t.dir / "guide.pdf", "--for", "all",
                      may_fail=True)
    assert scene.gateway.code == 1 and "already" in scene.gateway.said
    scene.gateway.ctl("material", "remove", "guide")
    assert scene.gateway.rows("material", "list") == []
    refused(scene, scene.official, "guide")


def test_too_large_a_file_and_an_unknown_group_are_refused(t):
    scene = Scene(t, materials={"size": 1024})
    path = t.dir / "big"
    path.write_bytes(bytes(1025))
    scene.gateway.ctl("material", "add", "big", path, "--for", "all", may_fail=True)
    assert scene.gateway.code == 1, scene.gateway.said
    path.write_bytes(bytes(1024))
    scene.gateway.ctl("material", "add", "big", path, "--for", "nobody", may_fail=True)
    assert scene.gateway.code == 1 and re.search("no group or member", scene.gateway.said)
    scene.gateway.ctl("material", "add", "big", path, "--for", "all")


def test_member_suspended_after_the_request_does_not_get_it(t):
    scene = scene_with(t, "--for", "all", officials=1)
    scene.smarthost.stop()
    row = scene.drop(mail(scene.official, "Request: guide\n"))
    assert row["state"] == "done", row
    scene.gateway.ctl("member", "suspend", "us-de")
    scene.smarthost.start()

    def excluded():
        rows = scene.gateway.store_rows("SELECT state, reason FROM delivery")
        return rows if rows[0][0] == "failed" else None
    assert "suspended" in eventually(excluded, "the delivery taken out")[0][1]
    assert not scene.smarthost.received()
