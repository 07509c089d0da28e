// How the published JavaScript client of PocketBase logs in at a hub, told as one JSON document.
// Its arguments: the hub's URL, an e-mail address and a password, and the folder where the user's mail arrives.
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, url, email, password, mail] = process.argv.slice(2);
const path = createRequire(`${modules}/`).resolve("pocketbase");
const { default: PocketBase, BaseAuthStore } = await import(pathToFileURL(path.replace(/cjs\.js$/, "es.mjs")));

const told = {};
const pb = new PocketBase(url, new BaseAuthStore());
pb.autoCancellation(false);
const users = pb.collection("users");

const refusal = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return { status: error.status, mfaId: typeof error.response.mfaId };
  }
};

const seen = new Set();
const nextLetter = async () => {
  for (;;) {
    const name = (await readdir(mail)).find((one) => !seen.has(one));
    if (name) {
      seen.add(name);
      return await readFile(`${mail}/${name}`, "utf8");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

// Of the link in a letter.
const nextToken = async () => (await nextLetter()).replaceAll(/=\r?\n/g, "").match(/#(ey[\w.-]+)/)[1];

// What a browser does that is sent to the provider, and whose user agrees there.
const browse = async (target) => {
  const options = { method: "POST", body: new URLSearchParams({ sub: "p-1" }), redirect: "manual" };
  const back = (await fetch(target, options)).headers.get("location");
  told.page = (await (await fetch(back)).text()).includes("You are logged in");
};

const methods = await users.listAuthMethods();
told.methods = [methods.password.enabled, methods.otp.enabled, methods.mfa.enabled, methods.oauth2.providers[0].name];

const outside = await users.authWithOAuth2({ provider: "oidc", urlCallback: browse });
told.oauth2 = { email: outside.record.email, id: outside.meta.id, isNew: outside.meta.isNew };
const links = await users.listExternalAuths(outside.record.id);
told.linked = links.map((link) => [link.provider, link.providerId]);
told.unlinked = await users.unlinkExternalAuth(outside.record.id, "oidc");
pb.authStore.clear();

const { otpId } = await users.requestOTP(email);
const code = (await nextLetter()).match(/\b\d{8}\b/)[0];
told.otp = (await users.authWithOTP(otpId, code)).record.email;
told.otpTwice = (await refusal(users.authWithOTP(otpId, code))).status;

told.asked = await users.requestPasswordReset(email);
const token = await nextToken();
told.reset = await users.confirmPasswordReset(token, `${password} 2`, `${password} 2`);
told.old = (await refusal(users.authWithPassword(email, password))).status;
told.new = (await users.authWithPassword(email, `${password} 2`)).record.email;
told.notSuper = (await refusal(pb.collection("_superusers").authWithPassword(email, `${password} 2`))).status;
const admin = await pb.collection("_superusers").authWithPassword("ada@example.org", password);
told.superuser = [admin.record.email, pb.authStore.isSuperuser];
told.refreshed = (await pb.collection("_superusers").authRefresh()).record.email;

const eve = { email: "eve@example.org", password, passwordConfirm: password, verified: false };
await users.create(eve);
pb.authStore.clear();
told.unproved = (await refusal(users.authWithPassword(eve.email, password))).status;
told.verification = [await users.requestVerification(eve.email), await users.confirmVerification(await nextToken())];
told.proved = (await users.authWithPassword(eve.email, password)).record.verified;
told.change = [await users.requestEmailChange("eva@example.org"), await users.confirmEmailChange(await nextToken(), password)];
told.afterChange = pb.authStore.isValid;
told.changed = (await users.authWithPassword("eva@example.org", password)).record.email;

console.log(JSON.stringify(told));
process.exit(0);
