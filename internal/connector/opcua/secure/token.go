package secure

import (
	"bytes"
	"context"
	"crypto/sha1" // #nosec G505 -- the thumbprint of OPC UA, OPC 10000-6 6.7.2.3: a name, not a proof
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// token is a security token with the keys that belong to it.
type token struct {
	protection
	id       uint32
	lifetime time.Duration
	until    time.Time // the server may use it until then
}

// Shares of its lifetime after which a token is renewed, and until which the
// server's messages are accepted under it, OPC 10000-4 5.6.2.1; and the lifetime
// below which a server's word is not taken.
const (
	renewAfter       = 0.75
	acceptedFor      = 1.25
	shortestLifetime = 2 * time.Second
)

// opening is a request to open the channel or to renew its token.
type opening struct {
	request uint32
	nonce   []byte
}

// OtherCertificateError reports that the one who answered has another
// certificate than the channel is to be opened with.
type OtherCertificateError struct {
	Certificate []byte // what was sent, DER
}

// Error implements error.
func (e *OtherCertificateError) Error() string {
	return "the channel is answered with another certificate than that of the endpoint"
}

// opens is the protection of the messages that open a channel: they are signed
// and encrypted in every mode but None.
func (config Config) opens() (protection, error) {
	switch secured := config.Policy != ua.SecurityPolicyURINone; {
	case secured != (config.Mode == ua.MessageSecurityModeSign || config.Mode == ua.MessageSecurityModeSignAndEncrypt),
		secured && (config.Key == nil || len(config.Certificate) == 0):
		return protection{}, fmt.Errorf("policy %s does not go with mode %s, or there is no key", config.Policy, config.Mode)
	case !secured:
		algorithm, err := uapolicy.Asymmetric(config.Policy, nil, nil)
		return protection{algorithm: algorithm}, err
	}
	key, err := keyOf(config.ServerCertificate)
	if err != nil {
		return protection{}, err
	}
	algorithm, err := uapolicy.Asymmetric(config.Policy, config.Key, key)
	if err != nil {
		return protection{}, fmt.Errorf("policy of the channel: %w", err)
	}
	return protection{algorithm: algorithm, signed: true, encrypted: true}, nil
}

// open asks for a token and waits until the answer has put it into place.
// Nothing else is sent meanwhile.
func (c *Channel) open(ctx context.Context, kind ua.SecurityTokenRequestType) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.Timeout+leniency, ua.StatusBadTimeout)
	defer cancel()
	release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	nonce, err := c.opens.algorithm.MakeNonce()
	if err != nil {
		return fmt.Errorf("make nonce: %w", err)
	}
	id, answered := c.await()
	defer c.forget(id)
	body, err := encode(&ua.OpenSecureChannelRequest{RequestType: kind, SecurityMode: c.config.Mode, ClientNonce: nonce,
		RequestedLifetime: uint32(c.config.Lifetime / time.Millisecond)}, id, nil, c.config.Timeout)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.opening = &opening{request: id, nonce: nonce}
	channel := c.id
	c.mu.Unlock()
	if err := c.write(ctx, c.opens, c.openHead(channel), id, body); err != nil {
		return err
	}
	_, err = c.result(ctx, answered)
	return err
}

// openHead is the header of a message that opens the channel.
func (c *Channel) openHead(channel uint32) []byte {
	var certificate, thumbprint []byte
	if c.opens.signed {
		certificate, thumbprint = c.config.Certificate, thumbprintOf(c.config.ServerCertificate)
	}
	head := appendBytes(frameHead("OPN", final, channel), []byte(c.config.Policy))
	return appendBytes(appendBytes(head, certificate), thumbprint)
}

func thumbprintOf(certificate []byte) []byte {
	sum := sha1.Sum(certificate) // #nosec G401 -- see the import
	return sum[:]
}

// appendBytes appends a byte string with its length; none is null.
func appendBytes(to, b []byte) []byte {
	if b == nil {
		return append(to, 0xff, 0xff, 0xff, 0xff)
	}
	return append(binary.LittleEndian.AppendUint32(to, uint32(len(b))), b...)
}

// answersOpening makes sure that a chunk answers the request to open the
// channel that is under way, and comes from the owner of the right certificate.
func (c *Channel) answersOpening(part chunk) error {
	c.mu.Lock()
	asked := c.opening != nil
	c.mu.Unlock()
	switch {
	case !asked:
		return errors.New("answer to a request to open the channel that was not sent")
	case part.policy != c.config.Policy:
		return fmt.Errorf("the channel is answered with policy %.100q in place of %q", part.policy, c.config.Policy)
	case !c.opens.signed:
		return nil
	case !bytes.HasPrefix(part.sender, c.config.ServerCertificate): // a chain may follow the first
		return &OtherCertificateError{Certificate: bytes.Clone(part.sender)}
	case !bytes.Equal(part.thumbprint, thumbprintOf(c.config.Certificate)):
		return errors.New("the channel is answered for another certificate than the client's")
	}
	return nil
}

// opened puts the token of an answer into place.
func (c *Channel) opened(part chunk, request uint32, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opening == nil || c.opening.request != request {
		return errors.New("answer to another request to open the channel")
	}
	nonce := c.opening.nonce
	c.opening = nil
	response := &ua.OpenSecureChannelResponse{}
	if err := c.config.Decode(body, response); err != nil {
		return err
	}
	if response.SecurityToken == nil || response.SecurityToken.ChannelID != part.channel || c.current != nil && c.id != part.channel {
		return fmt.Errorf("the answer that opens the channel names another one than %d", part.channel)
	}
	if c.opens.signed && len(response.ServerNonce) != len(nonce) {
		return fmt.Errorf("nonce of %d bytes in place of %d: %w", len(response.ServerNonce), len(nonce), ua.StatusBadNonceInvalid)
	}
	keys, err := symmetric(c.config, nonce, response.ServerNonce)
	if err != nil {
		return err
	}
	lifetime := min(c.config.Lifetime, max(shortestLifetime, time.Duration(response.SecurityToken.RevisedLifetime)*time.Millisecond))
	c.id, c.last = part.channel, c.current
	c.current = &token{id: response.SecurityToken.TokenID, lifetime: lifetime, until: time.Now().Add(share(lifetime, acceptedFor)), protection: keys}
	return nil
}

// symmetric derives the protection of messages from the nonces of both sides.
func symmetric(config Config, own, peer []byte) (protection, error) {
	algorithm, err := uapolicy.Symmetric(config.Policy, own, peer)
	if err != nil {
		return protection{}, fmt.Errorf("derive keys: %w", err)
	}
	return protection{algorithm: algorithm, signed: config.Policy != ua.SecurityPolicyURINone, encrypted: config.Mode == ua.MessageSecurityModeSignAndEncrypt}, nil
}

func share(of time.Duration, part float64) time.Duration { return time.Duration(float64(of) * part) }

// renew renews the token until the channel ends. A token that cannot be renewed
// ends it.
func (c *Channel) renew(ctx context.Context) {
	for {
		c.mu.Lock()
		wait := share(c.current.lifetime, renewAfter)
		c.mu.Unlock()
		select {
		case <-time.After(wait):
		case <-c.closed:
			return
		}
		if err := c.open(ctx, ua.SecurityTokenRequestTypeRenew); err != nil {
			c.fail(fmt.Errorf("renew the token: %w", err))
			return
		}
	}
}

// tokenOf finds the token of a message of the server. With its first message
// under the new token the server has left the old one.
func (c *Channel) tokenOf(part chunk) (*token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found *token
	switch {
	case c.current == nil || part.channel != c.id:
		return nil, fmt.Errorf("message of channel %d on channel %d: %w", part.channel, c.id, ua.StatusBadTCPSecureChannelUnknown)
	case part.token == c.current.id:
		found = c.current
	case c.last != nil && part.token == c.last.id:
		found = c.last
	}
	if found == nil || time.Now().After(found.until) {
		return nil, fmt.Errorf("message under token %d: %w", part.token, ua.StatusBadSecureChannelTokenUnknown)
	}
	return found, nil
}

// settle lets the token before the current one go.
func (c *Channel) settle(used *token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if used == c.current {
		c.last = nil
	}
}
