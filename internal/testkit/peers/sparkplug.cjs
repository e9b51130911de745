// An edge node for connector tests, on the Sparkplug client of the Eclipse
// Tahu project. It obeys JSON commands on the topic edge/<NODE>:
//   {"data": [[alias, type, value], ...], "device": "Pump1", "at": ms, "historical": true}
//   {"skip": n}          leaves n sequence numbers out
//   {"death": "Pump1"}   sends the death certificate of the device
//   {"flood": n, "metrics": m}  sends n messages of m metrics each
//   {"exit": true}       leaves without a word
const sparkplug = require('sparkplug-client')
const mqtt = require('mqtt')

const { PORT, NODE = 'GW1', USERNAME = '', PASSWORD = '', EXTRA = '0', COMPRESS = '' } = process.env
const url = `mqtt://127.0.0.1:${PORT}`
const edge = sparkplug.newClient({ serverUrl: url, username: USERNAME, password: PASSWORD, groupId: 'Plant1', edgeNode: NODE, clientId: `edge-${NODE}`, version: 'spBv1.0', mqttOptions: { reconnectPeriod: 100 } })
const options = COMPRESS ? { compress: true, algorithm: COMPRESS } : undefined

function birth () {
  edge.publishNodeBirth({ timestamp: Date.now(), metrics: [{ name: 'Node Control/Rebirth', type: 'Boolean', value: false }, { name: 'Load', alias: 100, type: 'Float', value: 12.5 }] }, options)
  const metrics = [
    { name: 'Vibration', alias: 1, type: 'Double', value: 4.2, properties: { engUnit: { type: 'String', value: 'mm/s' }, engHigh: { type: 'Double', value: 50 } } },
    { name: 'Temp', alias: 2, type: 'Float', value: 61.5 },
    { name: 'Running', alias: 3, type: 'Boolean', value: true },
    { name: 'Offset', alias: 4, type: 'Int16', value: -12 },
    { name: 'Serial', alias: 5, type: 'String', value: 'KSB-1' },
    { name: 'Hours', alias: 6, type: 'UInt64', value: 123456 }
  ]
  for (let i = 0; i < Number(EXTRA); i++) metrics.push({ name: `Extra/${i}`, alias: 1000 + i, type: 'Double', value: i })
  edge.publishDeviceBirth('Pump1', { timestamp: Date.now(), metrics }, options)
}

edge.on('birth', birth)
edge.on('ncmd', payload => { if ((payload.metrics || []).some(m => m.name === 'Node Control/Rebirth' && m.value)) birth() })
edge.on('error', error => { console.error(error); process.exit(1) })

const control = mqtt.connect(url, { username: USERNAME, password: PASSWORD, clientId: `control-${NODE}`, reconnectPeriod: 100 })
control.on('connect', () => control.subscribe(`edge/${NODE}`, { qos: 1 }, () => console.log('READY')))
control.on('message', (topic, body) => {
  const command = JSON.parse(body.toString())
  const at = command.at || Date.now()
  if (command.skip) for (let i = 0; i < command.skip; i++) edge.incrementSeqNum()
  if (command.data) {
    const metrics = command.data.map(([alias, type, value]) => ({ alias, type, value, timestamp: at, isHistorical: command.historical }))
    if (command.device) edge.publishDeviceData(command.device, { timestamp: at, metrics }, options)
    else edge.publishNodeData({ timestamp: at, metrics }, options)
  }
  if (command.death) edge.publishDeviceDeath(command.death, { timestamp: at })
  if (command.flood) {
    for (let n = 0; n < command.flood; n++) {
      edge.publishDeviceData('Pump1', { timestamp: at + n, metrics: Array.from({ length: command.metrics }, (_, i) => ({ alias: 1 + i % 2, type: i % 2 ? 'Float' : 'Double', value: n + i / 100, timestamp: at + n * command.metrics + i })) })
    }
  }
  if (command.exit) process.kill(process.pid, 'SIGKILL')
})
