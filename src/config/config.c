#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <libconfig.h>

#include "base/text.h"
#include "config/config.h"
#include "config/secret.h"
#include "config/settings.h"

enum {
	NAME_SIZE = 64,
	HOST_MAX = 253, /* characters of a name in the DNS (RFC 1035 section 2.3.4) */
	/* What the gate puts behind the local part of the return path, at most: "+", a delivery's
	 * number, "." and a code of 16 characters. No number comes to 12 digits, which leaves room for
	 * the tag of an epoch behind it. */
	RETURN_PATH_TAG_MAX = 1 + 19 + 1 + 16,
	RETURN_PATH_LOCAL_MAX = TEXT_LOCAL_PART_MAX - RETURN_PATH_TAG_MAX,
	PERCENT_MAX = 99,
};

/* One reading of one file. */
struct reading {
	const char *path;
	char directory[PATH_MAX];
	config_t tree;
	struct config *out;
	bool seen[SETTINGS_MAX];
};

/* -- values -- */

static bool is_plain_text(struct view text)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, text);
	const bool same = text_is_utf8(text) && view_equals(buf_view(&shown), text);
	buf_release(&shown);
	return same;
}

static bool is_label(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		if (!(c >= 'A' && c <= 'Z') && (i == 0 || !(c >= '0' && c <= '9')))
			return false;
	}
	return text.len > 0 && text.len <= SETTING_LABEL_MAX;
}

static bool is_ip_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The domain grammar of addresses, which has it all but the length. */
static bool is_host(struct view text)
{
	char host[HOST_MAX + 1];
	const char *why;
	if (!view_copy(text, host, sizeof host))
		return false;
	if (is_ip_address(host))
		return true;
	char address[TEXT_ADDRESS_MAX + 2];
	const int len = snprintf(address, sizeof address, "a@%.*s", HOST_MAX, host);
	return len <= TEXT_ADDRESS_MAX && text_is_address(view_of(address), &why);
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return view_is_nocase(view_of(host), "localhost");
}

static bool set_choice(const struct setting *setting, struct view text, void *out)
{
	for (int i = 0; setting->choices[i] != NULL; i++) {
		if (view_is(text, setting->choices[i])) {
			memcpy(out, &i, sizeof i);
			return true;
		}
	}
	return false;
}

static bool set_percents(struct view text, void *out)
{
	struct config_percents percents = {.count = 0};
	struct view field;
	int64_t last = 0;
	while (view_next_field(&text, ',', &field)) {
		field = view_trim(field);
		if (field.len > 0 && field.data[field.len - 1] == '%')
			field.len--;
		if (percents.count == CONFIG_PERCENTS_MAX ||
		    !text_number(field, last + 1, PERCENT_MAX, &last))
			return false;
		percents.percent[percents.count++] = last;
	}
	memcpy(out, &percents, sizeof percents);
	return true;
}

static bool set_path(
    const struct setting *setting, const char *directory, struct view text, char *out)
{
	if (text.len == 0 || !is_plain_text(text))
		return false;
	const int len =
	    text.data[0] == '/'
		? snprintf(out, CONFIG_PATH_SIZE, "%.*s", (int)text.len, text.data)
		: snprintf(out, CONFIG_PATH_SIZE, "%s/%.*s", directory, (int)text.len, text.data);
	return len > 0 && len <= setting->most;
}

static bool set_paths(struct view text, char *out)
{
	struct view rest = text;
	struct view path;
	while (view_next_field(&rest, ':', &path)) {
		if (path.len == 0 || path.data[0] != '/')
			return false;
	}
	return is_plain_text(text) && view_copy(text, out, CONFIG_TEXT_SIZE);
}

static bool set_flag(struct view text, void *out)
{
	const bool value = view_is(text, "true");
	if (!value && !view_is(text, "false"))
		return false;
	memcpy(out, &value, sizeof value);
	return true;
}

/* Stores a value that is written as it would stand in the file, without quotes. */
static bool set_value(struct reading *reading, const struct setting *setting, struct view text)
{
	char *out = (char *)reading->out + setting->offset;
	const char *why;
	int64_t number;
	bool good = false;
	if (text.len == 0 && setting_may_be_empty(setting)) {
		out[0] = '\0';
		return true;
	}
	switch (setting->type) {
	case SETTING_TEXT:
		return text.len > 0 && is_plain_text(text) &&
		       view_copy(text, out, CONFIG_TEXT_SIZE);
	case SETTING_LABEL:
		return is_label(text) && view_copy(text, out, CONFIG_TEXT_SIZE);
	case SETTING_SECRET:
		if (secret_is_credential(text))
			return view_copy(text, out, CONFIG_PATH_SIZE);
		return set_path(setting, reading->directory, text, out);
	case SETTING_PATH:
		return set_path(setting, reading->directory, text, out);
	case SETTING_PATHS:
		return set_paths(text, out);
	case SETTING_ADDRESS:
		return text_is_address(text, &why) && view_copy(text, out, CONFIG_TEXT_SIZE);
	case SETTING_HOST:
		return is_host(text) && view_copy(text, out, CONFIG_TEXT_SIZE);
	case SETTING_NUMBER:
		good = text_number(text, setting->least, setting->most, &number);
		break;
	case SETTING_DURATION:
		good = text_duration(text, &number) && number >= setting->least &&
		       number <= setting->most;
		break;
	case SETTING_CHOICE:
		return set_choice(setting, text, out);
	case SETTING_FLAG:
		return set_flag(text, out);
	case SETTING_PERCENTS:
		return set_percents(text, out);
	}
	if (good)
		memcpy(out, &number, sizeof number);
	return good;
}

/* -- refusals -- */

static const char *file_of(const struct reading *reading, const config_setting_t *node)
{
	const char *included = node == NULL ? NULL : config_setting_source_file(node);
	return included == NULL ? reading->path : included;
}

/* `file:line: setting: what`; without the line when the setting does not stand in the file. */
__attribute__((format(printf, 5, 6))) static int refuse(const struct reading *reading,
    const config_setting_t *node, const char *name, struct err *err, const char *format, ...)
{
	char what[ERR_TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (node == NULL)
		return err_set(err, ERR_DAEMON, ERR_NEVER, "%s: %s: %s", reading->path, name, what);
	return err_set(err, ERR_DAEMON, ERR_NEVER, "%s:%u: %s: %s", file_of(reading, node),
	    (unsigned)config_setting_source_line(node), name, what);
}

static int refuse_value(const struct reading *reading, const config_setting_t *node,
    const struct setting *setting, struct err *err)
{
	struct buf allowed = BUF_EMPTY(BUF_SMALL);
	setting_add_allowed(&allowed, setting);
	refuse(reading, node, setting->name, err, "must be %s", buf_text(&allowed));
	buf_release(&allowed);
	return -1;
}

/* Names what stands at the same place: the settings of this group, or those and the groups at the
 * top. */
static int refuse_unknown(
    const struct reading *reading, const config_setting_t *node, const char *name, struct err *err)
{
	const char *dot = strrchr(name, '.');
	const size_t group_len = dot == NULL ? 0 : (size_t)(dot - name) + 1;
	struct buf known = BUF_EMPTY(BUF_SMALL);
	struct view former = VIEW("");
	for (size_t i = 0; i < config_settings_count; i++) {
		if (strncmp(config_settings[i].name, name, group_len) != 0)
			continue;
		const char *rest = config_settings[i].name + group_len;
		const struct view here = {rest, strcspn(rest, ".")};
		if (view_equals(here, former))
			continue;
		buf_printf(&known, "%s%.*s", known.len == 0 ? "" : ", ", (int)here.len, here.data);
		former = here;
	}
	refuse(reading, node, name, err, "unknown setting; allowed here: %s", buf_text(&known));
	buf_release(&known);
	return -1;
}

/* -- the tree -- */

static size_t find(const char *name)
{
	size_t i = 0;
	while (i < config_settings_count && strcmp(config_settings[i].name, name) != 0)
		i++;
	return i;
}

static bool is_group(const char *name)
{
	const size_t len = strlen(name);
	for (size_t i = 0; i < config_settings_count; i++) {
		if (strncmp(config_settings[i].name, name, len) == 0 &&
		    config_settings[i].name[len] == '.')
			return true;
	}
	return false;
}

/* The value as text, when its form in the file fits the setting's type. */
static bool value_text(
    const config_setting_t *node, enum setting_type type, struct buf *scratch, struct view *text)
{
	const bool may_be_number = type == SETTING_NUMBER || type == SETTING_DURATION;
	switch (config_setting_type(node)) {
	case CONFIG_TYPE_STRING:
		*text = view_of(config_setting_get_string(node));
		return type != SETTING_NUMBER && type != SETTING_FLAG;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		buf_printf(scratch, "%lld", config_setting_get_int64(node));
		*text = buf_view(scratch);
		return may_be_number;
	case CONFIG_TYPE_BOOL:
		*text = view_of(config_setting_get_bool(node) ? "true" : "false");
		return type == SETTING_FLAG;
	default:
		return false;
	}
}

static int read_setting(
    struct reading *reading, const config_setting_t *node, size_t index, struct err *err)
{
	struct buf scratch = BUF_EMPTY(NAME_SIZE);
	struct view text;
	const struct setting *setting = &config_settings[index];
	int result = 0;
	if (!value_text(node, setting->type, &scratch, &text) || !set_value(reading, setting, text))
		result = refuse_value(reading, node, setting, err);
	reading->seen[index] = true;
	buf_release(&scratch);
	return result;
}

static int read_group(
    struct reading *reading, const config_setting_t *group, const char *prefix, struct err *err)
{
	const int count = config_setting_length(group);
	for (int i = 0; i < count; i++) {
		const config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
		char name[NAME_SIZE];
		int result;
		snprintf(name, sizeof name, "%s%s", prefix, config_setting_name(node));
		const size_t index = find(name);
		if (index < config_settings_count) {
			result = read_setting(reading, node, index, err);
		} else if (!is_group(name)) {
			result = refuse_unknown(reading, node, name, err);
		} else if (!config_setting_is_group(node)) {
			result =
			    refuse(reading, node, name, err, "must be a group: %s: { ... };", name);
		} else {
			char inner[NAME_SIZE + 1];
			snprintf(inner, sizeof inner, "%s.", name);
			result = read_group(reading, node, inner, err);
		}
		if (result != 0)
			return -1;
	}
	return 0;
}

static int fill_in(struct reading *reading, struct err *err)
{
	for (size_t i = 0; i < config_settings_count; i++) {
		const struct setting *setting = &config_settings[i];
		if (reading->seen[i])
			continue;
		if (setting->standard == NULL) {
			struct buf allowed = BUF_EMPTY(BUF_SMALL);
			setting_add_allowed(&allowed, setting);
			refuse(reading, NULL, setting->name, err, "is required: %s",
			    buf_text(&allowed));
			buf_release(&allowed);
			return -1;
		}
		if (!set_value(reading, setting, view_of(setting->standard)))
			abort(); /* a default that its own rule refuses */
	}
	struct config *out = reading->out;
	if (out->gateway.return_path[0] == '\0')
		memcpy(out->gateway.return_path, out->gateway.address, sizeof out->gateway.address);
	return 0;
}

/* A name that stands in quotes as it is (RFC 3501 section 9, quoted). */
static bool is_mailbox(const char *name)
{
	for (const char *at = name; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~' || strchr("\"\\%*", *at) != NULL)
			return false;
	}
	return name[0] != '\0';
}

static bool is_after(const char *after)
{
	static const char move[] = "move:";
	return strcmp(after, "delete") == 0 ||
	       (strncmp(after, move, sizeof move - 1) == 0 && is_mailbox(after + sizeof move - 1));
}

static bool moves_to_itself(const struct config *config)
{
	const char *colon = strchr(config->imap.after, ':');
	return colon != NULL && strcasecmp(colon + 1, config->imap.mailbox) == 0;
}

static bool is_complete(const struct config *config)
{
	return config->imap.user[0] != '\0' && config->imap.password_file[0] != '\0';
}

/* What one setting means for another. */
static int check_together(struct reading *reading, struct err *err)
{
	const struct config *config = reading->out;
	const bool has_user = config->smarthost.user[0] != '\0';
	const bool has_password = config->smarthost.password_file[0] != '\0';
	const bool is_plain = config->smarthost.tls == CONFIG_TLS_NONE;
	const bool has_imap = config->imap.server[0] != '\0';
	char long_return_path[ERR_TEXT_SIZE];
	snprintf(long_return_path, sizeof long_return_path,
	    "must have at most %d characters before the @, for a tag is put behind them",
	    RETURN_PATH_LOCAL_MAX);
	const struct {
		bool bad;
		const char *name;
		const char *allowed;
	} rules[] = {
	    {is_plain && !is_loopback(config->smarthost.host), "smarthost.tls",
		"\"none\" is allowed only where smarthost.host is this machine itself: "
		"127.0.0.0/8, ::1 or localhost; otherwise \"starttls\" or \"tls\""},
	    {is_plain && has_user, "smarthost.user",
		"is allowed only with smarthost.tls \"starttls\" or \"tls\": a password never "
		"travels in the clear"},
	    {has_user && !has_password, "smarthost.user",
		"needs smarthost.password_file beside it"},
	    {has_password && !has_user, "smarthost.password_file",
		"is allowed only beside smarthost.user"},
	    {strcspn(config->gateway.return_path, "@") > RETURN_PATH_LOCAL_MAX,
		"gateway.return_path", long_return_path},
	    {has_imap && !is_complete(config), "imap.server",
		"needs imap.user and imap.password_file beside it"},
	    {!is_mailbox(config->imap.mailbox), "imap.mailbox",
		"must be printable ASCII without \" \\ % *, other characters in the server's "
		"modified UTF-7"},
	    {!is_after(config->imap.after), "imap.after",
		"must be \"delete\", or \"move:NAME\" with a NAME as in imap.mailbox"},
	    {moves_to_itself(config), "imap.after", "must be another mailbox than imap.mailbox"},
	    {config->retry.most < config->retry.first, "retry.most",
		"must be at least retry.first"},
	    {config->retry.give_up < config->retry.first, "retry.give_up",
		"must be at least retry.first"},
	};
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (rules[i].bad)
			return refuse(reading, config_lookup(&reading->tree, rules[i].name),
			    rules[i].name, err, "%s", rules[i].allowed);
	}
	return 0;
}

/* -- the file -- */

static int parse_file(struct reading *reading, struct err *err)
{
	struct stat about;
	FILE *file = fopen(reading->path, "re");
	if (file == NULL || fstat(fileno(file), &about) != 0 || S_ISDIR(about.st_mode)) {
		if (file != NULL) {
			fclose(file);
			errno = EISDIR;
		}
		err_system(err, "cannot read the configuration %s", reading->path);
		err->when = ERR_NEVER;
		return -1;
	}
	config_set_include_dir(&reading->tree, reading->directory);
	const int good = config_read(&reading->tree, file);
	fclose(file);
	if (good == CONFIG_TRUE)
		return 0;
	const char *included = config_error_file(&reading->tree);
	return err_set(err, ERR_DAEMON, ERR_NEVER,
	    "%s:%d: %s; allowed is: name = value; or "
	    "name: { ... };",
	    included == NULL ? reading->path : included, config_error_line(&reading->tree),
	    config_error_text(&reading->tree));
}

static int find_directory(struct reading *reading, struct err *err)
{
	char copy[PATH_MAX];
	if (strlen(reading->path) >= sizeof copy)
		return err_set(
		    err, ERR_DAEMON, ERR_NEVER, "the path of the configuration is too long");
	memcpy(copy, reading->path, strlen(reading->path) + 1);
	if (realpath(dirname(copy), reading->directory) != NULL)
		return 0;
	err_system(err, "cannot read the configuration %s", reading->path);
	err->when = ERR_NEVER;
	return -1;
}

int config_load(const char *path, struct config *out, struct err *err)
{
	struct reading *reading = calloc(1, sizeof *reading);
	if (reading == NULL)
		abort();
	memset(out, 0, sizeof *out);
	reading->path = path;
	reading->out = out;
	config_init(&reading->tree);
	int result = -1;
	if (find_directory(reading, err) == 0 && parse_file(reading, err) == 0 &&
	    read_group(reading, config_root_setting(&reading->tree), "", err) == 0 &&
	    fill_in(reading, err) == 0 && check_together(reading, err) == 0) {
		snprintf(out->file, sizeof out->file, "%s", path);
		result = 0;
	}
	config_destroy(&reading->tree);
	free(reading);
	return result;
}
