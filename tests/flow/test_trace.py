"""Traced copies: each says whose it is, and a leak names its source."""
import re

from harness import eventually
from scene import Scene, TITLE

PARAGRAPHS = [
    "The controller takes firmware from anybody who can reach its service port and it does not\n"
    "check who signed the image, so that a stranger can replace it without leaving any trace.",
    "Operators should close the port at the border of the plant network, look through the records\n"
    "of the last weeks for uploads that nobody ordered, and install the update when it's out.",
    "We expect attacks within days after the publication because the fault is easy to find once\n"
    "somebody compares the old image with the new one, as our own engineers did last month.",
    "Run this:\n\n    plantctl update now please\n",
]
TEXT = "\n\n".join(PARAGRAPHS) + "\n"
INVISIBLE = "\u200b\u200c\u200d\u2060"


def traced(t, officials=3, **settings):
    scene = Scene(t, officials, **settings)
    row = scene.release(text=TEXT, trace="yes")
    return scene, row["number"]


def by_copy(scene):
    """The officials in the order of their copies: by member."""
    return sorted(scene.officials, key=lambda official: official.address.split("@")[1])


def look(scene, number, text):
    path = scene.t.dir / "leak.txt"
    path.write_text(text)
    return scene.gateway.rows("advisory", "trace", number, path)


def test_each_copy_says_whose_it_is_and_is_another(t):
    scene, number = traced(t)
    texts = []
    for i, official in enumerate(by_copy(scene), 1):
        opened = scene.opened(official)
        line = f"Copy {i} of 3, for {official.address}"
        assert opened.text.count(line) == 2, opened.text
        assert opened.subject.endswith(f"[{opened.token}]") and TITLE in opened.subject
        texts.append(opened.text)
        seen = "".join(c for c in opened.text if c not in INVISIBLE).replace("\u2019", "'")
        assert TEXT.strip() in seen
        assert "    plantctl update now please\n" in opened.text
    assert len(set(texts)) == 3
    assert len({scene.opened(o).token for o in scene.officials}) == 1


def test_leaked_text_names_its_copy(t):
    scene, number = traced(t)
    for i, official in enumerate(by_copy(scene), 1):
        leak = scene.opened(official).text
        found = look(scene, number, leak)
        assert (found["verdict"], found["copy"], found["of"]) == ("traced", i, 3), found
        assert found["address"] == found["says"] == official.address
        assert found["member"] == official.address.split("@")[1].split(".")[0]
    said = scene.gateway.ctl("advisory", "trace", number, t.dir / "leak.txt")
    assert by_copy(scene)[-1].address in said and "more than 99.9 %" in said


def test_one_paragraph_quoted_and_reflowed_names_its_copy(t):
    scene, number = traced(t)
    official = scene.officials[1]
    text = scene.opened(official).text
    paragraph = next(p for p in text.split("\n\n") if "controller" in p and "firmware" in p)
    leak = "> >" + "\n> > ".join(re.findall(r".{1,40}(?:\s|$)", " ".join(paragraph.split())))
    found = look(scene, number, f"Look what I got:\n\n{leak}\n")
    assert (found["verdict"], found["address"], found["says"]) == (
        "traced", official.address, ""), found


def test_visible_line_that_was_swapped_does_not_mislead(t):
    scene, number = traced(t)
    culprit, victim = by_copy(scene)[:2]
    leak = scene.opened(culprit).text.replace(f"Copy 1 of 3, for {culprit.address}",
                                              f"Copy 2 of 3, for {victim.address}")
    found = look(scene, number, leak)
    assert (found["address"], found["says"]) == (culprit.address, victim.address), found


def test_text_without_marks_names_nobody(t):
    scene, number = traced(t)
    found = look(scene, number, TEXT)
    assert (found["verdict"], found["address"]) == ("cannot tell", None), found
    untraced = scene.release(text=TEXT, title="Another")["number"]
    scene.gateway.ctl("advisory", "trace", untraced, t.dir / "leak.txt", may_fail=True)
    assert scene.gateway.code == 1 and "no traced copies" in scene.gateway.said


def test_acknowledgments_receipts_and_counts_are_as_ever(t):
    scene, number = traced(t)
    for official in scene.officials:
        row = scene.drop(official.reply(scene.opened(official), "affected"))
        assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    assert {r["address"] for r in scene.acknowledged()} == {o.address for o in scene.officials}
    row = scene.gateway.advisories()[0]
    assert (row["recipients"], row["acknowledged"], row["failed"]) == (3, 3, 0), row
    last = eventually(lambda: [r for r in scene.receipts() if "Complete" in r.subject],
                      "the last receipt")[0]
    assert "Attachments are not marked" in " ".join(last.text.split())
    scene.release(text="Take 2.2.\n", advisory=f"update {number}")
    assert "Copy" not in scene.opened(scene.official, 2).text


def test_who_cannot_be_reached_has_no_copy_and_stands_in_the_receipt(t):
    scene = Scene(t, 1)
    low = scene.gateway.admit(t.official("low@fr.example"), clearance="CLEAR")
    scene.release(text=TEXT, trace="yes")
    assert f"Copy 1 of 1, for {scene.official.address}" in scene.opened().text
    assert low.address in scene.receipts()[0].text
    assert not scene.smarthost.received(low.address)


def test_more_recipients_than_allowed_are_refused_by_line(t):
    scene = Scene(t, 3, trace={"most": 2})
    row = scene.drop(scene.publisher.publish(TITLE, TEXT, trace="yes"))
    assert row["state"] == "refused" and "line 4" in row["reason"], row
    receipt = scene.receipts()[0]
    assert "at most 2 recipients" in receipt.text and "Line 4" in receipt.text
    assert scene.gateway.advisories() == []
    scene.release(text=TEXT, trace="yes", audience="all, -us-de")


def test_kill_in_between_sends_each_copy_to_its_own_recipient(t):
    scene = Scene(t, 3)
    scene.gateway.drop(scene.publisher.publish(TITLE, TEXT, trace="yes"))
    eventually(lambda: scene.gateway.store_rows("SELECT delivery FROM traced_copy"), "copies")
    scene.gateway.process.kill()
    scene.gateway.process.wait()
    scene.gateway.start()
    for i, official in enumerate(by_copy(scene), 1):
        for mail in scene.smarthost.wait(1, official.address):
            assert f"Copy {i} of 3, for {official.address}" in official.open(mail.raw).text


def test_copies_rest_encrypted(t):
    scene, _ = traced(t, 2)
    scene.opened()
    state = b"".join(path.read_bytes() for path in (scene.gateway.dir / "state").glob("store.db*"))
    assert b"firmware" not in state and b"Copy 1 of" not in state
