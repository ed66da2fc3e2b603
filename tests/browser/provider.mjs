// An OpenID provider for a test, made of the certified implementation. people.json says who there
// is, by their subject, and is read anew for each question; any password is right.
import fs from "node:fs";
import https from "node:https";
import { Provider } from "oidc-provider";

const told = JSON.parse(fs.readFileSync("/test/provider.json"));
const people = () => JSON.parse(fs.readFileSync("/test/people.json"));
const scopes = "openid profile email groups";

const provider = new Provider(told.issuer, {
  clients: [told.client],
  claims: {
    openid: ["sub"],
    profile: ["preferred_username"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  cookies: { keys: ["of-the-test"] },
  // Short, so that the token for another is needed, which is good for one use.
  ttl: { AccessToken: 7, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 3600, IdToken: 3600 },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  async loadExistingGrant({ oidc }) { // nobody is asked what the workbench may know
    const grant = new oidc.provider.Grant({
      clientId: oidc.client.clientId,
      accountId: oidc.session.accountId,
    });
    grant.addOIDCScope(scopes);
    await grant.save();
    return grant;
  },
  async findAccount(context, id) {
    const claims = people()[id];
    return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
  },
});
const key = fs.readFileSync("/test/server.key");
const cert = fs.readFileSync("/test/server.crt");
https.createServer({ key, cert }, provider.callback()).listen(told.port, () => console.log("ready"));
