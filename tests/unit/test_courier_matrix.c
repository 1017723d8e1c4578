/* What happens at each step of the dialogue with the smarthost, whatever it does there: one table.
 *
 * A cell says what becomes of the delivery and of the connection. Laws that hold in every one of
 * them: nothing is sent that the dot was not answered 2xx for, alone and whole (I5); ambiguous is
 * what broke between the dot and its reply (I4); failed is what the smarthost said of that
 * recipient or of that message (I6); and once the fault is over, the next message goes, over the
 * same connection or another one. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "courier/dialogue.h"
#include "unit/courier_fixture.h"
#include "unit/patience.h"

enum {
	NAME_SIZE = 256,
	SMALL = 30,
	LARGE = 12 * 1000 * 1000, /* no buffer of a socket holds it */
	GENEROUS_MS = 20 * 1000,
	SHORT_MS = 60,
};

/* What a smarthost does instead of its reply, once: the action of its script, in which @ is the
 * code that lets the dialogue go on; and words that an admin must read of it. */
struct column {
	const char *name;
	const char *action;
	const char *words;
};

enum { SILENT = 1, DRIPPING = 2 };

static const struct column columns[] = {
    {"cut before the reply", "drop", "closed by the server"},
    {"silent", "stall 1000", "timed out"},
    {"a byte now and then", "slow 5", "timed out"},
    {"cut within the reply", "cut @ 2.0.0 hal", "closed by the server"},
    {"cut between two lines", "cut @-first\\r\\n", "closed by the server"},
    {"not now", "reply 451 4.3.0 not now", "451 4.3.0 not now"},
    {"mailbox busy", "reply 450 4.2.1 busy", "450 4.2.1 busy"},
    {"not for us", "reply 554 5.7.1 go away", "554 5.7.1 go away"},
    {"nobody there", "reply 550 5.1.1 no such user", "550 5.1.1 no such user"},
    {"too large", "reply 552 5.3.4 too large", "552 5.3.4 too large"},
    {"goodbye", "reply 421 4.3.2 bye", "421 4.3.2 bye"},
    {"login wanted", "reply 530 5.7.0 log in", "530 5.7.0 log in"},
    {"login refused", "reply 535 5.7.8 who", "535 5.7.8 who"},
    {"login not now", "reply 454 4.7.0 later", "454 4.7.0 later"},
    {"command unknown", "reply 500 5.5.2 what", "500 5.5.2 what"},
    {"no SMTP", "say Hello\\r\\n", "does not speak SMTP"},
    {"no such code", "say 999 2.0.0 fine\\r\\n", "does not speak SMTP"},
    {"four digits", "say @0 fine\\r\\n", "does not speak SMTP"},
    {"NUL in the code", "say 2\\00 fine\\r\\n", "does not speak SMTP"},
    {"no, then yes", "say 451-4.3.0 no\\r\\n@ 2.0.0 yes\\r\\n", "does not speak SMTP"},
    {"yes, then no", "say @-2.0.0 yes\\r\\n451 4.3.0 no\\r\\n", "does not speak SMTP"},
    {"line without end", "long 70000 @ 2.0.0", "does not end"},
    {"yes, and yes again", "say @ 2.0.0 yes\\r\\n250 2.0.0 yes\\r\\n", ""},
    {"yes, and nobody there", "say @ 2.0.0 yes\\r\\n550 5.1.1 no such user\\r\\n", ""},
    {"yes, and goodbye", "say @ 2.0.0 yes\\r\\n421 4.3.2 bye\\r\\n", ""},
    /* Odd ways to say yes. */
    {"long line", "long 3000 @ 2.0.0", ""},
    {"NUL in the text", "say @ 2.0.0 f\\0ine\\r\\n", ""},
    {"code alone", "say @\\r\\n", ""},
    {"two lines, no returns", "say @-2.0.0 yes\\n@ 2.0.0 yes\\n", ""},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* What comes of it, by the letter in a cell; a small one is that of a server that takes commands in
 * groups (RFC 2920), where what was said too early passes for the reply to the next one: else it is
 * D. */
struct ending {
	char letter;
	enum courier_outcome outcome;
	enum courier_about about;
	bool down; /* the connection is closed, and nothing else is tried over this smarthost now */
};

static const struct ending endings[] = {
    {'S', COURIER_SENT, COURIER_ABOUT_RECIPIENT, false},
    {'A', COURIER_AMBIGUOUS, COURIER_ABOUT_GATEWAY, true},
    {'D', COURIER_DEFERRED, COURIER_ABOUT_GATEWAY, true}, /* a fault of the smarthost */
    {'G', COURIER_DEFERRED, COURIER_ABOUT_GATEWAY, false}, /* it has something against us */
    {'R', COURIER_DEFERRED, COURIER_ABOUT_RECIPIENT, false},
    {'F', COURIER_FAILED, COURIER_ABOUT_RECIPIENT, false},
    {'L', COURIER_FAILED, COURIER_ABOUT_MESSAGE, false}, /* too large */
};

/* Servers that are otherwise well. */
enum server { PLAIN, SLOW, STARTTLS, TLS, AUTH_PLAIN, AUTH_LOGIN, SERVERS };

#define SERVER(server) (1U << (server))
#define EVERYWHERE (SERVER(PLAIN) | SERVER(SLOW) | SERVER(STARTTLS))

struct row {
	const char *phase; /* as texts call it */
	unsigned servers;
	const char *before; /* rules in front of the one that the column gives */
	const char *step;
	const char *code; /* that lets the dialogue go on */
	const char *cells; /* '-': it makes no sense there */
	bool used; /* after another message over the same connection */
	bool large;
};

static const struct row rows[] = {
    /* clang-format off */
    {"the greeting", SERVER(PLAIN), "", "connect", "220",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"EHLO", SERVER(SLOW), "", "ehlo", "250",
     "D D D D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"STARTTLS", SERVER(STARTTLS), "", "starttls", "220",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"STARTTLS", SERVER(STARTTLS), "", "tls", "220",
     "D D - - -  - - - - -  - - - - -  - - - - - - -  D D D  D D D D", false, false},
    {"EHLO", SERVER(STARTTLS), "ehlo * 1 pass\n", "ehlo", "250",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"EHLO", SERVER(TLS), "", "ehlo", "250",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"AUTH", SERVER(AUTH_PLAIN), "", "auth", "235",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"AUTH", SERVER(AUTH_LOGIN), "", "auth", "334",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"AUTH", SERVER(AUTH_LOGIN), "auth * 1 pass\n", "auth", "334",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"AUTH", SERVER(AUTH_LOGIN), "auth * 2 pass\n", "auth", "235",
     "D D - D D  D D D D D  D D D D D  D D D D D D D  D D D  S S S S", false, false},
    {"MAIL FROM", EVERYWHERE, "", "mail", "250",
     "D D D D D  D D D D L  D D D D D  D D D D D D D  D f D  S S S S", false, false},
    /* A connection may end between two messages: then it is opened anew, and nothing is lost. */
    {"MAIL FROM", EVERYWHERE, "", "mail", "250",
     "S S S S S  D D D D L  S D D D D  S S S S S S S  D f D  S S S S", true, false},
    {"RCPT TO", EVERYWHERE, "", "rcpt", "250",
     "D D D D D  G R G F L  D D D G D  D D D D D D D  D f D  S S S S", false, false},
    {"DATA", EVERYWHERE, "", "data", "354",
     "D D D D D  G R G F L  D D D G D  D D D D D D D  D F D  S S S S", false, false},
    {"the message", SERVER(PLAIN) | SERVER(STARTTLS), "", "body", "250",
     "D - - - -  G - - F L  D - - - -  D - - - - - -  D - -  - - - -", false, true},
    {"the final dot", EVERYWHERE, "", "dot", "250",
     "A A A A A  G R G F L  D D D G G  A A A A A A A  S S S  S S S S", false, false},
    /* clang-format on */
};

static struct config config;
static struct connection *connection;
static struct connection_limits limits;

static void set_login(const char *password)
{
	peer_write("password", view_of(password));
	strcpy(config.smarthost.user, "gateway");
	strcpy(config.smarthost.password_file, peer_path("password"));
}

static void start(enum server server)
{
	static const char *const mechanisms[SERVERS] = {
	    [AUTH_PLAIN] = "PLAIN", [AUTH_LOGIN] = "LOGIN"};
	const enum config_tls tls = server == TLS	 ? CONFIG_TLS_TLS
				    : server >= STARTTLS ? CONFIG_TLS_STARTTLS
							 : CONFIG_TLS_NONE;
	const char *const plain[] = {server == SLOW ? "--no-pipelining" : NULL, NULL};
	const char *const secure[] = {"--tls", server == TLS ? "tls" : "starttls", "--cert",
	    peer_path("good.pem"), "--key", peer_path("good.key"),
	    server >= AUTH_PLAIN ? "--auth" : NULL, "gateway:secret", "--mechanisms",
	    mechanisms[server], NULL};
	peer_start(&config, tls, tls == CONFIG_TLS_NONE ? plain : secure);
	if (server >= AUTH_PLAIN)
		set_login("secret\n");
}

/* Each step may take so long. */
static void limit_to(int64_t ms)
{
	limits = (struct connection_limits){.connect = ms,
	    .opening = ms,
	    .step = ms,
	    .final_dot = ms,
	    .idle = GENEROUS_MS,
	    .least_rate = 16 * 1024};
}

static struct courier_result send_one(size_t size)
{
	const struct courier_delivery delivery = {
	    .id = 1, .sender = "s@gw.example", .recipient = "r@a.example"};
	struct courier_message message = {.bytes = BUF_EMPTY(LARGE + 100)};
	struct courier_result result;
	buf_add_text(&message.bytes, "Subject: x\r\n\r\n");
	while (message.bytes.len < size)
		buf_add_text(&message.bytes, "This is one of the lines of a message.\r\n");
	message.size = message.bytes.len;
	dialogue_send(connection, &delivery, &message, &result);
	message_release(&message);
	return result;
}

static bool begins_with(const char *text, const char *with)
{
	return view_starts_nocase(view_of(text), with);
}

/* Why the result is not what the cell says, or NULL. */
static const char *is_wrong(const struct row *row, const struct column *column,
    const struct ending *ending, const struct courier_result *result, size_t kept)
{
	const bool words = ending->outcome != COURIER_SENT && column->words[0] != '\0';
	if (result->outcome != ending->outcome)
		return "another outcome";
	if (result->about != ending->about)
		return "about somebody else";
	if (result->smarthost_down != ending->down)
		return ending->down ? "the smarthost counts as well"
				    : "the smarthost counts as down";
	if (connection_is_open(connection) && ending->down)
		return "the connection stays open";
	if (words && !begins_with(result->text, row->phase))
		return "said of another step";
	if (words && strstr(result->text, column->words) == NULL)
		return "other words";
	if (ending->outcome == COURIER_SENT ? kept != 1
					    : ending->outcome != COURIER_AMBIGUOUS && kept != 0)
		return "another number of copies";
	return NULL;
}

static const struct ending *ending_of(char letter, enum server server)
{
	if (letter >= 'a')
		letter = server == SLOW ? 'D' : (char)(letter - 'a' + 'A');
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		if (endings[i].letter == letter)
			return &endings[i];
	}
	fail_msg("no such letter: %c", letter);
	return NULL;
}

static void set_rules(const struct row *row, const struct column *column)
{
	struct buf rules = BUF_EMPTY(BUF_SMALL);
	struct view rest = view_of(column->action);
	struct view piece;
	buf_printf(&rules, "%s%s * 1 ", row->before, row->step);
	for (bool first = true; view_next_field(&rest, '@', &piece); first = false) {
		buf_add_text(&rules, first ? "" : row->code);
		buf_add_view(&rules, piece);
	}
	buf_add_char(&rules, '\n');
	peer_script(buf_text(&rules));
	buf_release(&rules);
}

/* The next message must find its way. */
static const char *is_not_mended(void)
{
	const size_t before = peer_count();
	limit_to(patient(GENEROUS_MS));
	const struct courier_result result = send_one(SMALL);
	return result.outcome == COURIER_SENT && peer_count() == before + 1
		   ? NULL
		   : "the next message did not go";
}

/* One try at a cell with this much time for each step; why it is not as it should be, or NULL. */
static const char *try_cell(const struct row *row, const struct column *column,
    const struct ending *ending, int64_t ms, struct courier_result *result)
{
	limit_to(patient(GENEROUS_MS));
	connection = connection_new(&config, &limits);
	peer_script("");
	if (row->used)
		assert_int_equal(send_one(SMALL).outcome, COURIER_SENT);
	set_rules(row, column);
	const size_t before = peer_count();
	limit_to(ms);
	*result = send_one(row->large ? LARGE : SMALL);
	return is_wrong(row, column, ending, result, peer_count() - before);
}

/* Where the fault is silence, the time for a step is short; on a machine that is too slow for what
 * goes before, it is tried again with more. */
static bool cell_holds(const struct row *row, size_t number, const struct ending *ending)
{
	const struct column *column = &columns[number];
	const bool silent = number == SILENT || number == DRIPPING;
	struct courier_result result;
	const char *why;
	char cell[NAME_SIZE];
	snprintf(
	    cell, sizeof cell, "%s%s, %s", row->phase, row->used ? " (used)" : "", column->name);
	for (int64_t ms = silent ? SHORT_MS : patient(GENEROUS_MS);; ms *= 2) {
		why = try_cell(row, column, ending, ms, &result);
		if (why == NULL || ms >= GENEROUS_MS || strstr(result.text, "timed out") == NULL)
			break;
		connection_free(connection);
	}
	if (why == NULL)
		why = is_not_mended();
	if (why != NULL)
		print_error("%s: %s: %d %s\n", cell, why, (int)result.outcome, result.text);
	connection_free(connection);
	return why == NULL;
}

/* All cells of the rows that this server is for. */
static void walk(enum server server)
{
	size_t wrong = 0;
	start(server);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *at = rows[i].cells;
		if ((rows[i].servers & SERVER(server)) == 0)
			continue;
		for (size_t number = 0; number < COLUMNS; number++) {
			at += strspn(at, " ");
			assert_int_not_equal(*at, '\0');
			if (*at != '-')
				wrong += !cell_holds(&rows[i], number, ending_of(*at, server));
			at++;
		}
		assert_int_equal(*at, '\0');
	}
	peer_stop();
	assert_int_equal(wrong, 0);
}

/* I5. */
static void every_cell_holds_where_commands_go_in_groups(void **state)
{
	(void)state;
	walk(PLAIN);
}

/* I5. */
static void every_cell_holds_where_commands_go_one_by_one(void **state)
{
	(void)state;
	walk(SLOW);
}

/* I5. */
static void every_cell_holds_within_tls(void **state)
{
	(void)state;
	walk(STARTTLS);
	walk(TLS);
}

/* I6. */
static void every_cell_holds_with_a_login(void **state)
{
	(void)state;
	walk(AUTH_PLAIN);
	walk(AUTH_LOGIN);
}

/* Servers that are wrong as a whole. */
struct stranger {
	enum config_tls tls;
	const char *certificate; /* "": no TLS there */
	const char *option;
	const char *value;
	const char *password; /* ours, "": none */
	const char *words;
};

static const struct stranger strangers[] = {
    {CONFIG_TLS_STARTTLS, "other", NULL, NULL, "secret\n",
	"STARTTLS: the certificate of localhost is "
	"not trusted: it is for another name"},
    {CONFIG_TLS_TLS, "other", NULL, NULL, "secret\n",
	"connecting: the certificate of localhost is "
	"not trusted: it is for another name"},
    {CONFIG_TLS_STARTTLS, "stranger", NULL, NULL, "secret\n", "its CA is unknown"},
    {CONFIG_TLS_TLS, "stranger", NULL, NULL, "secret\n", "its CA is unknown"},
    {CONFIG_TLS_STARTTLS, "expired", NULL, NULL, "secret\n", "it has expired"},
    {CONFIG_TLS_TLS, "expired", NULL, NULL, "secret\n", "it has expired"},
    {CONFIG_TLS_STARTTLS, "good", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", "secret\n",
	"STARTTLS: TLS handshake with localhost failed"},
    {CONFIG_TLS_STARTTLS, "", NULL, NULL, "secret\n",
	"STARTTLS: the server does not offer STARTTLS"},
    {CONFIG_TLS_TLS, "", NULL, NULL, "secret\n", "TLS handshake with localhost failed"},
    {CONFIG_TLS_STARTTLS, "good", NULL, NULL, "secret\n",
	"AUTH: within TLS the server offers neither AUTH PLAIN nor AUTH LOGIN"},
    {CONFIG_TLS_STARTTLS, "good", "--mechanisms", "CRAM-MD5 XOAUTH2", "secret\n",
	"AUTH: within TLS the server offers neither AUTH PLAIN nor AUTH LOGIN"},
    {CONFIG_TLS_NONE, "", NULL, NULL, "secret\n", "AUTH: a password is never sent without TLS"},
    {CONFIG_TLS_STARTTLS, "good", "--auth", "gateway:other", "secret\n",
	"AUTH: 535 5.7.8 wrong user"},
    {CONFIG_TLS_STARTTLS, "good", "--auth", "gateway:secret", "\n", "connecting: no secret in"},
    {CONFIG_TLS_STARTTLS, "good", "--auth", "gateway:secret", "",
	"MAIL FROM: 530 5.7.0 AUTH first"},
};

static void start_stranger(const struct stranger *stranger)
{
	char pem[NAME_SIZE];
	char key[NAME_SIZE];
	snprintf(pem, sizeof pem, "%s.pem", stranger->certificate);
	snprintf(key, sizeof key, "%s.key", stranger->certificate);
	const char *const plain[] = {stranger->option, stranger->value, NULL};
	const char *const secure[] = {"--tls", stranger->tls == CONFIG_TLS_TLS ? "tls" : "starttls",
	    "--cert", peer_path(pem), "--key", peer_path(key), stranger->option, stranger->value,
	    NULL};
	peer_start(&config, stranger->tls, stranger->certificate[0] == '\0' ? plain : secure);
	if (stranger->password[0] != '\0')
		set_login(stranger->password);
}

/* I10. */
static void server_that_is_not_to_be_trusted_gets_no_mail(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		start_stranger(&strangers[i]);
		limit_to(patient(GENEROUS_MS));
		connection = connection_new(&config, &limits);
		const struct courier_result result = send_one(SMALL);
		if (result.outcome != COURIER_DEFERRED || !result.smarthost_down ||
		    result.about != COURIER_ABOUT_GATEWAY ||
		    strstr(result.text, strangers[i].words) == NULL)
			fail_msg("%s: %d %s", strangers[i].words, (int)result.outcome, result.text);
		assert_false(connection_is_open(connection));
		assert_int_equal(peer_count(), 0);
		connection_free(connection);
		peer_stop();
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(every_cell_holds_where_commands_go_in_groups, peer_teardown),
	    cmocka_unit_test_teardown(every_cell_holds_where_commands_go_one_by_one, peer_teardown),
	    cmocka_unit_test_teardown(every_cell_holds_within_tls, peer_teardown),
	    cmocka_unit_test_teardown(every_cell_holds_with_a_login, peer_teardown),
	    cmocka_unit_test_teardown(server_that_is_not_to_be_trusted_gets_no_mail, peer_teardown),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(
	    "courier_matrix", tests, peer_group_setup, peer_group_teardown);
}
