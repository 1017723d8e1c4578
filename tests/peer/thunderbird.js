// What a person at Thunderbird does and sees, for thunderbird.py: each function is called by its name,
// with the program's own rights. None waits for what comes later: the caller looks again.
"use strict";
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

const INBOX = Ci.nsMsgFolderFlags.Inbox;
const NO_ROW = 0xffffffff;
const TEXT_NODES = 4; // NodeFilter.SHOW_TEXT

// Once, before anything else: what OpenPGP Key Manager and the account's settings do.

function openpgp(name) {
	return ChromeUtils.importESModule(`chrome://openpgp/content/modules/${name}.sys.mjs`);
}

// Whoever takes keys before it has read its own keyrings makes keys that it cannot unlock.
function isReadyForKeys() {
	return openpgp("core").EnigmailCore._initialized;
}

async function takeKeys(secret, fingerprint, gateway) {
	const { RNP } = openpgp("RNP");
	const own = await RNP.importSecKeyBlockImpl(null, null, false, secret);
	await openpgp("sqliteDb").PgpSqliteDb2.updateAcceptance(fingerprint, null, "personal");
	const other = await RNP.importPubkeyBlockAutoAcceptImpl(null, gateway, "verified");
	return [own.exitCode, other.exitCode];
}

function login(password) {
	const server = MailServices.accounts.accounts[0].incomingServer;
	server.password = password;
	server.getNewMessages(inbox(), main().msgWindow, null);
}

// The main window.

function main() {
	return Services.wm.getMostRecentWindow("mail:3pane");
}

function tabs() {
	return main().document.getElementById("tabmail");
}

function inbox() {
	return MailServices.accounts.accounts[0].incomingServer.rootFolder.getFolderWithFlags(INBOX);
}

// Selects the mail with this Message-ID, as a click on its row does; false before it is there.
function select(id) {
	const pane = tabs().currentAbout3Pane;
	if (pane.gFolder !== inbox()) pane.displayFolder(inbox());
	const found = inbox().msgDatabase.getMsgHdrForMessageID(id);
	const row = found && pane.gDBView ? pane.gDBView.findIndexOfMsgHdr(found, true) : NO_ROW;
	if (row === NO_ROW) return false;
	pane.threadTree.selectedIndex = row;
	return true;
}

function letter() {
	return tabs().currentAboutMessage.getMessagePaneBrowser().contentDocument;
}

// What the message pane shows of the mail with this Message-ID; null before it does.
function shown(id) {
	const pane = tabs().currentAboutMessage;
	if (!pane?.msgLoaded || pane.gMessage?.messageId !== id) return null;
	const icon = (name) => {
		const element = pane.document.getElementById(name);
		return element.hidden ? "" : element.src.replace(/.*message-|\.svg$/g, "");
	};
	return {
		subject: pane.document.getElementById("expandedsubjectBox").textContent.trim(),
		icons: [icon("encryptedHdrIcon"), icon("signedHdrIcon")],
		notices: texts(pane, "notification-message"),
		text: letter().body.innerText,
	};
}

function texts(window, query) {
	return [...window.document.querySelectorAll(query)].map((element) =>
		(element.messageText ?? element).textContent.trim());
}

// Are these words of one line in the part of the message pane that is seen without scrolling?
function visible(words) {
	const document = letter();
	const { innerHeight, innerWidth } = document.defaultView;
	const walker = document.createTreeWalker(document.body, TEXT_NODES);
	while (walker.nextNode()) {
		const at = walker.currentNode.data.indexOf(words);
		if (at < 0) continue;
		const range = document.createRange();
		range.setStart(walker.currentNode, at);
		range.setEnd(walker.currentNode, at + words.length);
		const { top, bottom, left, right } = range.getBoundingClientRect();
		return top >= 0 && bottom <= innerHeight && left >= 0 && right <= innerWidth;
	}
	return false;
}

// Presses a button above the mail.
function press(id) {
	tabs().currentAboutMessage.document.getElementById(id).click();
}

// The window of a new mail.

function composer() {
	return Services.wm.getMostRecentWindow("msgcompose");
}

function composing() {
	return composer() !== null;
}

function compose() {
	main().document.getElementById("tabmail").currentAbout3Pane.document
		.getElementById("folderPaneWriteMessage").click();
}

// What that window shows once it is ready to be written in; null before, and where there is none.
function composed() {
	const window = composer();
	if (!window?.gLoadingComplete || !window.gMsgCompose?.editor) return null;
	if (window.gCheckEncryptionStateCompletionIsPending) return null;
	const addresses = (query) => [...window.document.querySelectorAll(query)].map((pill) =>
		pill.emailAddress);
	return {
		to: addresses("mail-address-pill"),
		lacking: addresses("mail-address-pill.key-issue"),
		notices: texts(window, "notification-message"),
		subject: window.document.getElementById("msgSubject").value,
		html: window.gMsgCompose.composeHTML,
		encrypts: window.gSendEncrypted,
		signs: window.gSendSigned,
		attaches: window.gAttachMyPublicPGPKey,
		sendable: !window.document.getElementById("button-send").disabled,
	};
}

// Presses keys one by one where the cursor is: a character each, or the name of a key.
function keys(names, control) {
	const window = composer();
	const input = Cc["@mozilla.org/text-input-processor;1"].createInstance(
		Ci.nsITextInputProcessor);
	if (!input.beginInputTransactionForTests(window)) throw new Error("no keys can be pressed");
	const event = (key) => new window.KeyboardEvent("", { key });
	if (control) input.keydown(event("Control"));
	for (const name of names) {
		input.keydown(event(name));
		input.keyup(event(name));
	}
	if (control) input.keyup(event("Control"));
}

function focus(id) {
	composer().document.getElementById(id).focus();
}

function click(id) {
	composer().document.getElementById(id).click();
}

// What all is on the screen, to be told when something that should come does not.
function windows() {
	return [...Services.wm.getEnumerator(null)].map(({ document }) =>
		`${document.location.href}: ${document.title}: `
		+ document.documentElement.textContent.replace(/\s+/g, " ").slice(0, 500));
}
