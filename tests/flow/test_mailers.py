"""Other people's mail: what real programs send, by shape, encoding, charset and posting, comes to
the right acknowledgment (tests/peer/mailers.py)."""
import mailers
from harness import cases, eventually, limit
from scene import Scene

OFFICIALS = 6
# A publisher's signature, below which programs quote nothing.
TEXT = "Close the valve.\n\n-- \nVendor PSIRT\npsirt@vendor.example\n"


class Board:
    """Officials by advisories: a cell for each answer."""

    def __init__(self, t):
        self.scene = Scene(t, OFFICIALS)
        self.numbers, self.cells = [], []

    def release(self):
        scene, count = self.scene, len(self.numbers) + 1
        self.numbers.append(scene.release(f"Fault {count}", TEXT)["number"])
        for official in scene.officials:
            mails = eventually(lambda: len(scene.advisory_mails(official)) == count
                               and scene.advisory_mails(official), "the advisory")
            self.cells.append((official, official.open(mails[-1].raw), self.numbers[-1]))

    def turn(self):
        if not self.cells:
            self.release()
        self.at = self.cells.pop(0)
        return self.at[0], self.at[1]


@cases(*mailers.PROGRAMS)
@limit(300)
def test_answers_of_this_program_count_with_status_and_comment(t, program):
    board = Board(t)
    scene, answers = board.scene, {}
    for answer in mailers.PROGRAMS[program](board.turn):
        official, _, number = board.at
        answers[number, official.address] = answer
        scene.gateway.drop(answer.raw)
        scene.mails += 1
    scene.gateway.settled(scene.mails, 120)
    wrong = []
    got = {(number, row["address"]): row for number in board.numbers
           for row in scene.gateway.acknowledgments(number)}
    rows = {row["id"]: row for row in scene.gateway.arrivals()}
    for cell, answer in answers.items():
        row = got.get(cell)
        if row is None:
            wrong.append((answer.name, "no acknowledgment"))
        elif (row["status"], row["comment"] or "") != (answer.status, answer.comment):
            wrong.append((answer.name, row["status"], row["comment"], answer.comment))
    refused = [(row["shape"], row["refusal"], row["reason"]) for row in rows.values()
               if row["meaning"] != "acknowledgment" and row["meaning"] != "advisory"]
    assert not wrong and not refused, (wrong, refused)
    assert len(got) == len(answers) >= 4
    t.note(f"{program}: {len(answers)} answers")
