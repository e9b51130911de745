// A small plant as an OPC UA server on node-opcua, for the tests of the OPC UA
// connector. Loopback only. Settings by environment:
//   PORT, PKI (folder of its certificates), SECURITY=0 (no secure endpoints),
//   ANONYMOUS=0, USER_CERTIFICATE=1 (trust any user certificate),
//   ACCEPT_UNKNOWN=0 (clients must be trusted first),
//   MAX_READ, MAX_MONITOR, MAX_HISTORY, MAX_BROWSE, MAX_POINTS (0: no limit),
//   MAX_SESSIONS, PUMPS, BULK (tags in one folder), TICK (ms),
//   HISTORY (seconds kept before the start), WITHOUT_FILE (names a node left
//   out, such as Pump1/Flow, once the file exists), BAD_HALF=1 (every other bulk
//   tag fails), SKEW (ms added to source times), COMES_AND_GOES (seconds for
//   which one node exists, and then does not).
import { existsSync, readFileSync } from "node:fs";
import {
  DataType, DataValue, MessageSecurityMode, OPCUACertificateManager, OPCUAServer, SecurityPolicy, StatusCodes, Variant,
  VariantArrayType, makeAccessLevelFlag, makeEUInformation, standardUnits,
} from "node-opcua";

const env = (name, otherwise) => (process.env[name] === undefined ? otherwise : Number(process.env[name]));
const port = env("PORT", 48400), tick = env("TICK", 500), bulk = env("BULK", 0), history = env("HISTORY", 60), pumps = env("PUMPS", 3);
const secure = env("SECURITY", 1) === 1, withoutFile = process.env.WITHOUT_FILE ?? "";
const without = existsSync(withoutFile) ? readFileSync(withoutFile, "utf8").trim() : "";

const users = { operator: "operator-secret" };
const manager = new OPCUACertificateManager({ rootFolder: process.env.PKI, automaticallyAcceptUnknownCertificate: env("ACCEPT_UNKNOWN", 1) === 1 });
const userManager = new OPCUACertificateManager({ rootFolder: process.env.PKI + "-users", name: "users", automaticallyAcceptUnknownCertificate: env("USER_CERTIFICATE", 0) === 1 });
await manager.initialize();
await userManager.initialize();

const server = new OPCUAServer({
  host: "127.0.0.1", hostname: "127.0.0.1", port, resourcePath: "/plant",
  securityPolicies: secure
    ? [SecurityPolicy.None, SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes128_Sha256_RsaOaep, SecurityPolicy.Aes256_Sha256_RsaPss]
    : [SecurityPolicy.None],
  securityModes: secure ? [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt] : [MessageSecurityMode.None],
  allowAnonymous: env("ANONYMOUS", 1) === 1,
  serverCertificateManager: manager,
  userCertificateManager: userManager,
  userManager: { isValidUser: (name, password) => users[name] === password },
  serverInfo: { applicationUri: "urn:test:plant", productUri: "urn:test", applicationName: { text: "test plant" } },
  buildInfo: { productName: "test plant", buildNumber: "1", buildDate: new Date(Date.UTC(2026, 0, 1)) },
  maxConnectionsPerEndpoint: 50,
  serverCapabilities: {
    maxSessions: env("MAX_SESSIONS", 50), maxBrowseContinuationPoints: env("MAX_POINTS", 10), maxHistoryContinuationPoints: env("MAX_POINTS", 10),
    maxMonitoredItems: 1_000_000, maxMonitoredItemsPerSubscription: 500_000,
    operationLimits: {
      maxNodesPerRead: env("MAX_READ", 1000), maxMonitoredItemsPerCall: env("MAX_MONITOR", 1000),
      maxNodesPerHistoryReadData: env("MAX_HISTORY", 100), maxNodesPerBrowse: env("MAX_BROWSE", 500),
    },
  },
});
await server.initialize();

const space = server.engine.addressSpace;
const own = space.getOwnNamespace();
const plant = own.addFolder(space.rootFolder.objects, { browseName: "Plant", nodeId: "s=Plant" });
const skew = env("SKEW", 0);
const at = () => new Date(Date.now() + skew);
const readable = makeAccessLevelFlag("CurrentRead | HistoryRead");
const double = (value) => ({ dataType: DataType.Double, value });

// Pumps with an archive. The value counts ticks, so that a gap shows.
const measured = [];
const quantities = [
  ["Flow", standardUnits.cubic_metre_per_hour ?? makeEUInformation("MQH", "m³/h", "cubic metre per hour"), 0, 500],
  ["Vibration", makeEUInformation("C16", "mm/s", "millimetre per second"), 0, 25],
];
for (let p = 1; p <= pumps; p++) {
  const pump = own.addObject({ browseName: `Pump${p}`, nodeId: `s=Pump${p}`, componentOf: plant });
  for (const [name, units, low, high] of quantities) {
    if (`Pump${p}/${name}` === without) continue;
    const node = own.addAnalogDataItem({
      browseName: name, nodeId: `s=Pump${p}/${name}`, componentOf: pump, dataType: "Double", engineeringUnits: units,
      engineeringUnitsRange: { low, high }, minimumSamplingInterval: 0, accessLevel: readable, userAccessLevel: readable, value: double(0),
    });
    node.setValueFromSource(double(0), StatusCodes.Good, new Date(Date.now() - (history + 10) * 1000));
    space.installHistoricalDataNode(node, { maxOnlineValues: history + 200_000 });
    measured.push(node);
  }
}

// Nodes that are out of the ordinary.
const odd = own.addFolder(plant, { browseName: "Odd", nodeId: "s=Odd" });
const add = (name, dataType, value, extra = {}, status = StatusCodes.Good, time = at(), shape = {}) => {
  const node = own.addVariable({ browseName: name, nodeId: `s=Odd/${name}`, organizedBy: odd, dataType, minimumSamplingInterval: 0, ...shape, value: { dataType: DataType[dataType], value, ...extra } });
  node.setValueFromSource({ dataType: DataType[dataType], value, ...extra }, status, time);
  return node;
};
add("NaN", "Double", NaN);
add("Text", "String", "idle");
add("Long", "Int64", [0, 12345], { arrayType: VariantArrayType.Scalar });
add("Switch", "Boolean", true);
add("Byte", "Byte", 7);
add("Single", "Float", 1.5);
add("Array", "Double", new Float64Array([1, 2, 3]), { arrayType: VariantArrayType.Array }, StatusCodes.Good, at(), { valueRank: 1, arrayDimensions: [3] });
add("Failed", "Double", 1, {}, StatusCodes.BadSensorFailure);
add("Doubtful", "Double", 2, {}, StatusCodes.UncertainLastUsableValue);
add("Old", "Double", 3, {}, StatusCodes.Good, new Date(Date.now() - 3600_000));
const nested = add("Nested", "Double", 4);
own.addVariable({ browseName: "Inner", nodeId: "s=Odd/Nested/Inner", componentOf: nested, dataType: "Double", value: double(5) });

const flaky = env("COMES_AND_GOES", 0);
const many = own.addFolder(plant, { browseName: "Many", nodeId: "s=Many" });
const tags = [];
for (let i = 0; i < bulk; i++) {
  tags.push(own.addVariable({ browseName: `T${i}`, nodeId: `s=T${i}`, organizedBy: many, dataType: "Double", minimumSamplingInterval: 0, value: double(0) }));
}

const archived = (count, time) => new DataValue({ value: new Variant(double(count)), sourceTimestamp: time, serverTimestamp: time, statusCode: count % 50 === 0 ? StatusCodes.UncertainSubNormal : StatusCodes.Good });
const started = Date.now();
for (const node of measured) {
  for (let s = history; s > 0; s--) await node.varHistorian.push(archived(-s, new Date(started - s * 1000)));
}
const badHalf = env("BAD_HALF", 0) === 1;
let count = 0, come;
const step = () => {
  const now = at();
  count++;
  for (const node of measured) node.setValueFromSource(double(count), StatusCodes.Good, now);
  tags.forEach((node, i) => node.setValueFromSource(double(count), badHalf && i % 2 ? StatusCodes.BadSensorFailure : StatusCodes.Good, now));
  if (flaky > 0) {
    const there = Math.floor((Date.now() - started) / (flaky * 1000)) % 2 === 0;
    if (there && !come) come = own.addVariable({ browseName: "ComesAndGoes", nodeId: "s=Odd/ComesAndGoes", organizedBy: odd, dataType: "Double", value: double(count) });
    if (!there && come) { space.deleteNode(come); come = undefined; }
  }
};
step();
setInterval(step, tick);
await server.start();
console.log("READY", server.getEndpointUrl());
