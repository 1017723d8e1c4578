#include "config.h"

#include "base/text.h"
#include "courier/imap_login.h"
#include "courier/password.h"

enum { COMMAND_MAX = 8 * 1024 };

/* One attempt. */
struct login {
	const struct config *config;
	const struct imap_credentials *credentials;
	struct imap_link *link;
};

static int read_greeting(struct imap_link *link, struct err *err)
{
	struct imap_response response;
	if (imap_link_read(link, &response, err) != 0)
		return err_prefix(err, "greeting");
	if (response.tag.len == 0 && response.kind == IMAP_OK)
		return 0;
	const struct view text = view_part(response.text, 0, COURIER_TEXT_SIZE);
	/* Logged in as somebody whom we did not name, and STARTTLS is not possible any more. */
	if (response.kind == IMAP_PREAUTH)
		return err_set(err, ERR_PEER, ERR_LATER,
		    "greeting: the server claims that we are logged in already (PREAUTH)");
	if (response.kind == IMAP_BYE)
		return err_set(err, ERR_PEER, ERR_LATER, "greeting: the server refuses: %.*s",
		    (int)text.len, text.data);
	return err_set(err, ERR_PEER, ERR_LATER, "greeting: the server does not speak IMAP");
}

static int ask_capabilities(struct imap_link *link, struct err *err)
{
	const struct imap_command command = {.what = "CAPABILITY", .words = VIEW("CAPABILITY")};
	return imap_run_well(link, &command, err);
}

static bool can(const struct login *login, const char *name)
{
	return imap_has_word(imap_capabilities(login->link), name);
}

static int start_tls(const struct login *login, struct err *err)
{
	return imap_link_start_tls(
	    login->link, login->credentials->trust, login->config->imap.server, err);
}

static int upgrade(const struct login *login, struct err *err)
{
	const struct imap_command command = {.what = "STARTTLS", .words = VIEW("STARTTLS")};
	if (ask_capabilities(login->link, err) != 0)
		return -1;
	if (!can(login, "STARTTLS"))
		return err_set(err, ERR_PEER, ERR_LATER, "STARTTLS: the server does not offer it");
	if (imap_run_well(login->link, &command, err) != 0)
		return -1;
	return start_tls(login, err);
}

/* A refusal that says that it is the moment's (RFC 5530), not the password's. */
static bool is_passing(const char *code)
{
	static const char *const codes[] = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		if (view_starts_nocase(view_of(code), codes[i]))
			return true;
	}
	return false;
}

/* Neither the words nor what came back for them may hold the password in a log. */
static int try_login(const struct login *login, const struct imap_command *command, struct err *err)
{
	struct imap_result result;
	if (imap_run(login->link, command, &result, err) != 0)
		return -1;
	if (result.kind == IMAP_OK)
		return 0;
	return err_set(err, ERR_PEER, is_passing(result.code) ? ERR_LATER : ERR_NEVER,
	    "login: the server refuses user %s: %s", login->config->imap.user, result.text);
}

/* RFC 4616; the initial response of RFC 4959 where the server takes it. */
static int auth_plain(const struct login *login, struct err *err)
{
	struct buf secret = BUF_EMPTY(COMMAND_MAX);
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	struct imap_command command = {.what = "login"};
	password_add_plain(&secret, login->config->imap.user, login->credentials->password);
	buf_add_text(&words, "AUTHENTICATE PLAIN");
	if (can(login, "SASL-IR")) {
		buf_add_char(&words, ' ');
		buf_add_view(&words, buf_view(&secret));
	} else {
		command.more = buf_view(&secret);
	}
	command.words = buf_view(&words);
	const int result = try_login(login, &command, err);
	buf_release(&secret);
	buf_release(&words);
	return result;
}

/* False for what does not fit into a quoted string (RFC 3501 section 4.3). */
static bool add_quoted(struct buf *out, struct view text)
{
	buf_add_text(out, " \"");
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.data[i];
		if (c < 0x20 || c > 0x7e)
			return false;
		if (c == '"' || c == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, (char)c);
	}
	buf_add_char(out, '"');
	return true;
}

static int plain_login(const struct login *login, struct err *err)
{
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	int result;
	buf_add_text(&words, "LOGIN");
	if (!add_quoted(&words, view_of(login->config->imap.user)) ||
	    !add_quoted(&words, login->credentials->password)) {
		result = err_set(err, ERR_PEER, ERR_NEVER,
		    "login: the server offers only LOGIN, which takes ASCII and nothing else");
	} else {
		const struct imap_command command = {.what = "login", .words = buf_view(&words)};
		result = try_login(login, &command, err);
	}
	buf_release(&words);
	return result;
}

static int authenticate(const struct login *login, struct err *err)
{
	if (can(login, "AUTH=PLAIN"))
		return auth_plain(login, err);
	if (!can(login, "LOGINDISABLED"))
		return plain_login(login, err);
	return err_set(
	    err, ERR_PEER, ERR_LATER, "login: the server offers neither AUTH=PLAIN nor LOGIN");
}

static int enter(const struct login *login, struct err *err)
{
	if (login->config->imap.tls == CONFIG_IMAP_IMPLICIT) {
		if (start_tls(login, err) != 0 || read_greeting(login->link, err) != 0)
			return -1;
	} else if (read_greeting(login->link, err) != 0 || upgrade(login, err) != 0) {
		return -1;
	}
	if (ask_capabilities(login->link, err) != 0 || authenticate(login, err) != 0)
		return -1;
	return ask_capabilities(login->link, err);
}

int imap_login(const struct config *config, const struct imap_limits *limits,
    const struct imap_credentials *credentials, struct imap_link **out, struct err *err)
{
	struct login login = {.config = config, .credentials = credentials};
	if (imap_link_open(
		config->imap.server, (uint16_t)config->imap.port, limits, &login.link, err) != 0)
		return -1;
	if (enter(&login, err) == 0) {
		*out = login.link;
		return 0;
	}
	imap_link_free(login.link, false);
	return -1;
}
