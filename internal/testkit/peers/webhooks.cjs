// Sends webhooks signed by the client library of Standard Webhooks, for the
// tests of the webhook connector. It reads a list of messages in JSON from
// standard input, sends them one after the other, and prints what was answered.
// A message: url, secret, body, and as wished id, ageSeconds (of its time), signed
// (the body that is signed in place of the one sent), before (a signature that
// stands in front of the sound one), contentType, headers.
const { Webhook } = require("standardwebhooks");
const crypto = require("node:crypto");

async function send(m) {
  const id = m.id ?? "msg_" + crypto.randomUUID();
  const time = new Date(Date.now() - 1000 * (m.ageSeconds ?? 0));
  const signature = new Webhook(m.secret).sign(id, time, m.signed ?? m.body);
  const response = await fetch(m.url, {
    method: "POST",
    body: m.body,
    headers: {
      "content-type": m.contentType ?? "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(time / 1000)),
      "webhook-signature": m.before ? m.before + " " + signature : signature,
      ...m.headers,
    },
  });
  return { status: response.status, duplicate: response.headers.get("webhook-duplicate") === "true", retryAfter: response.headers.get("retry-after") ?? "", body: await response.text() };
}

(async () => {
  let text = "";
  for await (const part of process.stdin) text += part;
  const answers = [];
  for (const message of JSON.parse(text)) answers.push(await send(message));
  process.stdout.write(JSON.stringify(answers));
})();
