// Package opcua is the connector to OPC UA servers (kind "opcua"): it browses
// the address space, follows values by subscription or by reading, and fills
// gaps from the server's archive (OPC 10000-4 services, OPC 10000-11 history).
//
// # Trust
//
// Whoever configures a connection with security enters the SHA-256 fingerprint
// of the server's certificate, which the connection test shows. It is compared
// with the endpoint chosen, and the secure channel is opened with the key of
// exactly that certificate, so only its owner can take part. The product's own
// certificate is made when the integration is stored; the server has to trust it.
//
// # What a server sends
//
// The library encodes and decodes messages and has the cryptography; the secure
// channel is that of package secure, which bounds what a server may send. An
// answer is decoded by the goroutine that asked for it, into the type that it
// expects, and is measured first: lengths beyond the message and deep nesting
// are refused. What panics in the library all the same is a fault of the peer.
//
// # Staying alive
//
// Nothing reconnects by itself. Subscribe owns one session: it counts the
// notifications, watches an item that changes every second (the server's
// clock) in the same subscription, and returns an error as soon as one is
// missing. The caller opens a new session and fills the hole by Backfill. The
// watermark is the server's clock up to which notifications are proven to have
// arrived, in the order in which they were published.
//
// # Addresses
//
// An external tag is a node id with the URI of its namespace, such as
// "nsu=urn:plant;s=Pump 1/Flow": indexes change when a server restarts. The
// form with an index, "ns=2;s=Pump 1/Flow", is accepted.
package opcua
