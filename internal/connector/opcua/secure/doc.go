// Package secure is the client's side of OPC UA Secure Conversation over TCP,
// OPC 10000-6 clauses 6.7 and 7.1: the greeting, the secure channel with its
// security tokens, and messages in chunks.
//
// The peer is not trusted. Every length that it sends is checked against what
// there is before it is used, its sequence numbers have to follow one another,
// what it may have in memory is bounded per message and per connection, and
// messages are handed on undecoded: the caller decodes its answer in its own
// goroutine. The one message that is decoded here is the answer that opens a
// channel, by the caller's own decoder. Cryptography is that of the library's
// uapolicy.
//
// A channel fails as a whole, with the reason, when the peer breaks the
// protocol. Errors of the peer carry its ua.StatusCode, those of the network
// what package net says.
package secure
