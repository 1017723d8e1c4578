// Somebody who uses OpenPGP.js: node person.cjs LIBRARY COMMAND DIRECTORY [...]
//
// LIBRARY is the package's directory, of line 5 or 6. DIRECTORY holds secret.asc, certificate.asc
// and the gateway's certificate, gateway.asc.
//     key DIRECTORY NAME ADDRESS    makes a key that asks for OCB (line 5: packets with tag 20) or
//                                   for version 2 of tag 18 (line 6)
//     open DIRECTORY                a message on standard input: its text, if the gateway signed it
//     seal DIRECTORY FORM           text to a signed message for the gateway; FORM: mdc, or aead,
//                                   which is what the key above asks for; text, signed as such;
//                                   password, which opens it too; or apart, which is not signed
"use strict";
const fs = require("fs");
const path = require("path");

const [library, command, directory, ...more] = process.argv.slice(2);
const openpgp = require(library);
const line = JSON.parse(fs.readFileSync(path.join(library, "package.json"))).version[0];
const at = (name) => path.join(directory, name);
const read = (name) => fs.readFileSync(at(name), "utf8");
const AEAD = { aeadProtect: true, preferredAEADAlgorithm: openpgp.enums.aead.ocb };

async function key(name, email) {
	const made = await openpgp.generateKey({
		type: "ecc",
		curve: line === "5" ? "curve25519" : "curve25519Legacy",
		userIDs: [{ name, email }],
		format: "armored",
		config: AEAD,
	});
	fs.writeFileSync(at("secret.asc"), made.privateKey, { mode: 0o600 });
	fs.writeFileSync(at("certificate.asc"), made.publicKey);
}

async function known() {
	return {
		own: await openpgp.readPrivateKey({ armoredKey: read("secret.asc") }),
		gateway: await openpgp.readKey({ armoredKey: read("gateway.asc") }),
	};
}

async function open() {
	const { own, gateway } = await known();
	const opened = await openpgp.decrypt({
		message: await openpgp.readMessage({ armoredMessage: fs.readFileSync(0, "utf8") }),
		decryptionKeys: own,
		verificationKeys: gateway,
		format: "binary",
	});
	if (opened.signatures.length !== 1) throw new Error("not one signature");
	await opened.signatures[0].verified;
	process.stdout.write(opened.data);
}

// The gateway's key does not ask for AEAD, so the session key has to.
function forced() {
	const data = require("crypto").randomBytes(32);
	return { sessionKey: { data, algorithm: "aes256", aeadAlgorithm: "ocb" }, config: AEAD };
}

async function seal(form) {
	const { own, gateway } = await known();
	const data = fs.readFileSync(0);
	const content = form === "text" ? { text: data.toString() } : { binary: data };
	const sealed = await openpgp.encrypt({
		message: await openpgp.createMessage(content),
		encryptionKeys: gateway,
		signingKeys: form === "apart" ? [] : own,
		...(form === "aead" ? forced() : {}),
		...(form === "password" ? { passwords: ["told by telephone"] } : {}),
	});
	process.stdout.write(sealed);
}

const commands = { key, open, seal };
commands[command](...more).catch((failure) => {
	console.error(String(failure));
	process.exit(1);
});
