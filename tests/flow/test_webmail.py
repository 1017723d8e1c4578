"""Officials and publishers with OpenPGP.js in a browser: Mailvelope, FlowCrypt, Proton."""
import foreign
import mailers
import webmail
from harness import cases
from official import Opened, payload
from scene import Scene
from test_acknowledge import only_ack

ADDRESS = "cert@us-de.example"


def admitted(scene, kind, admit, address):
    """Somebody with a key made by OpenPGP.js, known to the gateway: the person, and the program."""
    js = foreign.OpenPGPjs(scene.t, 6, "Someone", address)
    js.meet(scene.gateway)
    return admit(kind(address, secret=js.secret)), js


@cases(*webmail.PROGRAMS)
def test_official_in_a_browser_opens_and_answers(t, program):
    scene = Scene(t, 0)
    official, js = admitted(scene, t.official, scene.gateway.admit, ADDRESS)
    scene.release()
    mail = scene.smarthost.only(ADDRESS)
    opened = official.open(mail.raw)
    assert Opened(js.open(payload(mail.raw))).text == opened.text
    for shape, build in webmail.PROGRAMS[program](js.seal, official).items():
        comment = f"Geprüft: {shape}"
        row = scene.drop(official.message(build(mailers.written(opened, "Affected.", comment))))
        assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), (shape, row)
        ack = only_ack(scene)
        assert (ack["status"], ack["comment"]) == ("affected", comment), (shape, ack)


@cases(*webmail.PROGRAMS)
def test_publisher_in_a_browser_writes_title_and_text_into_what_is_signed(t, program):
    scene = Scene(t, 1)
    publisher, js = admitted(scene, t.publisher, scene.gateway.admit_publisher,
                             "alice@vendor.example")
    for shape, build in webmail.PROGRAMS[program](js.seal, publisher).items():
        before = len(scene.advisory_mails(scene.official))
        text = f"{publisher.block(title=f'Gerät: {shape}')}\nInstall it.\n"
        row = scene.drop(publisher.message(build(text)))
        if "beside it" in shape:  # nobody signed that
            assert (row["state"], row["refusal"]) == ("refused", "text-outside"), (shape, row)
            continue
        assert (row["state"], row["meaning"]) == ("done", "advisory"), (shape, row)
        scene.smarthost.wait(before + 1, scene.official.address)
        opened = scene.official.open(scene.advisory_mails(scene.official)[-1].raw)
        assert f"Gerät: {shape}" in opened.subject and "Install it." in opened.text, opened.text
        files = [(name, content) for name, _, content in opened.attachments]
        assert files == ([webmail.FILE] if "a file" in shape else []), (shape, files)
