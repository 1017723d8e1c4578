-- A row or two in every table of version 2, with other values than the defaults.
PRAGMA foreign_keys = ON;
INSERT INTO value VALUES ('gateway', x'47'), ('schema-of-a-test', x'0001ff');
INSERT INTO member VALUES ('us', 'United States', 'national', NULL, 'active', 11),
    ('us-de', 'Delaware', 'local', 'us', 'lapsed', 12), ('gone', 'Gone', 'other', NULL, 'left', 13);
INSERT INTO contact VALUES (4, 'us', 'Cert@us.example', 'C', 'F1', 'RED', 1, 0, 14),
    (7, 'us-de', 'cert@us-de.example', 'Ünal', 'F2', 'AMBER+STRICT', 2, 0, 15),
    (9, 'gone', 'old@gone.example', 'Old', '', 'CLEAR', 1, 1, 16);
INSERT INTO publisher VALUES (2, 'psirt@vendor.example', 'P', 'F3', 0, 0, 17),
    (3, 'admin@vendor.example', 'A', 'F4', 1, 0, 18), (5, 'left@vendor.example', 'L', 'F5', 0, 1, 19);
INSERT INTO group_entry VALUES ('energy', 'us', NULL), ('energy', NULL, 7);
INSERT INTO shard VALUES (1, 12, 3), (2, 1, 1);
INSERT INTO certificate VALUES
    ('F1', 'C <cert@us.example>', 'rsa4096', 1, 99, 'E1', 'EF1', 98, 'confirmed', 1, 20),
    ('F2', 'U', 'ed25519', 2, 0, 'E2', 'EF2', 0, 'retired', 1, 21),
    ('F3', 'P', 'rsa3072', 3, 0, 'E3', 'EF3', 0, 'confirmed', 1, 22),
    ('F6', 'New', 'ed25519', 4, 0, 'E6', 'EF6', 0, 'pending', 2, 23);
INSERT INTO certificate_bytes VALUES ('F1', x'99010203'), ('F6', x'9900');
INSERT INTO certificate_key VALUES ('A1', 'F1', 0, 1), ('E1', 'F1', 1, 0), ('A6', 'F6', 0, 1);
INSERT INTO arrival VALUES
    (5, 'd5', 30, 100, 'done', 'advisory', '', 'F3', 'encrypted', '', 1, 0, 0),
    (6, 'd6', 31, 101, 'done', 'acknowledgment', '', 'F1', 'encrypted', '', 1, 0, 1),
    (8, 'd8', 32, 102, 'refused', 'unknown', 'nobody here', '', 'plain', 'unsigned', 0, 0, 0),
    (10, 'd10', 33, 103, 'judged', 'publisher', 'dated ahead', 'F3', 'encrypted', '', 1, 77, 1),
    (11, 'd11', 34, 104, 'unreadable', 'fatal', 'ended its reader', '', '', '', 1, 0, 1),
    (12, 'd12', 35, 105, 'done', 'report', '', 'F1', 'signed', '', 1, 0, 0),
    (13, 'd13', 36, 106, 'done', 'bounce', '', '', 'report', '', 1, 0, 0),
    (14, 'd14', 37, 107, 'received', '', '', '', '', '', 1, 0, 0);
INSERT INTO arrival_raw VALUES (5, x'616263'), (6, x''), (10, x'00ff'), (14, x'41');
INSERT INTO signed_seen VALUES ('s5', 5), ('s6', 6);
INSERT INTO message VALUES (6, 'advisory', 'a@gw', 40, 0, 0, x'01', x'02', x'03'),
    (7, 'receipt', 'b@gw', 41, 0, 0, x'11', x'12', x'13'),
    (8, 'key-notice', 'c@gw', 42, 0, 1, x'21', x'22', x''),
    (9, 'advisory', 'd@gw', 43, 1, 0, x'31', x'32', x'33');
INSERT INTO batch VALUES (1, 6, 44, x'd201'), (2, 7, 0, x'd202');
INSERT INTO delivery VALUES
    (1, 6, 4, NULL, 'cert@us.example', 'F1', 'E1', 1, 0, 'acknowledged', '250 ok', 1, 3, 1, 0, 45, 46,
	'', 0),
    (2, 6, 7, NULL, 'cert@us-de.example', 'F2', 'E2', 1, 0, 'deferred', '451 later', 1, 2, 0, 99, 47, 0,
	'gateway', 1),
    (3, 6, 9, NULL, 'old@gone.example', '', '', NULL, 0, 'failed', 'no certificate', NULL, 0, 0, 0, 0, 0,
	'', 2),
    (4, 7, NULL, 2, 'psirt@vendor.example', 'F3', 'E3', 1, 0, 'bounced', '5.1.1', 2, 1, 0, 0, 48, 49,
	'recipient', 2),
    (5, 9, 4, NULL, 'cert@us.example', 'F1', 'E1', 1, 1, 'queued', '', NULL, 0, 0, 0, 0, 0, '', 0);
INSERT INTO delivery_key VALUES (1, x'c1'), (2, x'c2'), (4, x'c3');
INSERT INTO key_told VALUES ('F1', 99, 30, 50), ('F1', 99, 7, 51);
INSERT INTO key_successor VALUES ('F6', 'F1', 4, NULL, 12, 52);
INSERT INTO approval VALUES
    (1, 'key.confirm', 'cert@us.example', 'C', 'F6', 'open', 'root', 0, 53, '', NULL, 0),
    (2, 'publisher.add', 'x@vendor.example', 'X', 'F9', 'rejected', 'root', 0, 54, 'ann', 1000, 55);
INSERT INTO advisory_number VALUES ('DEW', 2026, 2);
INSERT INTO advisory VALUES
    (1, 'DEW-2026-0001', 'delivering', 'advisory', 'AMBER', '9.8', 0, 2, 60),
    (2, 'DEW-2026-0002', 'held', 'bulletin', 'GREEN', '', 1, 2, 61);
INSERT INTO revision VALUES
    (3, 1, 1, 'new', 'AMBER', 'all, -us-de', 'T1', 70, 62, 2, 5, 6, 1, 1, x'aa'),
    (4, 1, 2, 'update', 'RED', 'cert@us.example', 'T2', 0, 63, NULL, NULL, 9, 0, 0, x'bb');
INSERT INTO hold VALUES (1, 2, 'waiting', 10, 2, 'F3', 'r', 64, 80, 'H1', 1, NULL, 0, x'cc');
INSERT INTO withdrawal VALUES (1, 65, 0);
INSERT INTO acknowledgment VALUES (7, 3, 4, 6, 'not affected', 66, 67, 'F1', 'subject', x'dd');
INSERT INTO clear_answer VALUES (1, 7, 3, 4, 6, 67, 'subject', '', 1, 1, 7),
    (2, NULL, 3, NULL, 8, 68, 'text', 'x@y.example', 0, 0, NULL);
INSERT INTO uncounted_answer VALUES (1, 3, 7, 'expired', 8, 69, 70, 1, 7);
INSERT INTO report VALUES (1, 'REP-1', 4, 'AMBER', 1, 71, 12, 7, NULL, x'ee');
INSERT INTO report_reply VALUES (9, 1, 2, 5, 72);
INSERT INTO material VALUES (1, 'guide', 'all', 'GREEN', 3, 73, x'01', x'02', x'03');
INSERT INTO message_label VALUES (7, 'AMBER');
INSERT INTO traced_copy VALUES (5, 9, 1, x'000102030405060708090a0b0c0d0e0f', x'0f');
INSERT INTO agreement VALUES (1, 74, 75, 0, 'You keep it to yourself.'), (2, 76, 99, 100, 'Two.');
INSERT INTO agreement_request VALUES (1, 1, 4, 'G1', 77, 78, 2, 7);
INSERT INTO agreement_answer VALUES (1, 1, 4, 6, 'accept', 79, 80, 'F1');
INSERT INTO join_request VALUES (1, 8, 'Org', 'o@org.example', 'O', 'F8', 81, 'dismissed', x'98');
INSERT INTO reminder VALUES (1, 3, 7, 50, 7, 82);
INSERT INTO deadline VALUES (3, 7, 83, 1);
INSERT INTO bounce VALUES (1, 4, 13, 84, 'written', 'failed', '5.1.1', 'r', 'd', 'first
second', 5, 0);
INSERT INTO audit VALUES (1, 90, 'gate', 'gate.start', 'x', '', 'h1'), (2, 91, 'root', 'e', 's', 'd', 'h2');
