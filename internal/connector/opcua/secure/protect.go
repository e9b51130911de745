package secure

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// wideKey is the length of a key in bytes above which the padding has a second
// byte for its size, OPC 10000-6 6.7.2.5.
const wideKey = 256

// protection signs and encrypts chunks, or nothing of both.
type protection struct {
	algorithm         *uapolicy.EncryptionAlgorithm
	signed, encrypted bool
}

// overhead is the length in bytes of what is added to a chunk at least: the
// sizes of the padding and the signature.
func (p protection) overhead() int {
	n := 0
	if p.signed {
		n += p.algorithm.SignatureLength()
	}
	if p.encrypted {
		n++
		if p.algorithm.RemoteSignatureLength() > wideKey {
			n++
		}
	}
	return n
}

// room is how many bytes of a message fit into a chunk of size bytes that has
// the header of a token.
func (p protection) room(size int) int {
	size -= tokenHeader
	if p.encrypted {
		size = size / p.algorithm.BlockSize() * p.algorithm.PlaintextBlockSize()
	}
	return size - sequenceHeader - p.overhead()
}

// seal makes a frame of its headers and of what follows them in the clear, and
// writes its size.
func (p protection) seal(head, plain []byte) ([]byte, error) {
	frame := slices.Concat(head, plain)
	size := len(frame)
	if p.encrypted {
		block := p.algorithm.PlaintextBlockSize()
		padding := (block - (len(plain)+p.overhead())%block) % block
		frame = append(frame, byte(padding))
		for range padding {
			frame = append(frame, byte(padding))
		}
		if p.algorithm.RemoteSignatureLength() > wideKey {
			frame = append(frame, byte(padding>>8))
		}
		size = len(head) + (len(frame)-len(head)+p.algorithm.SignatureLength())/block*p.algorithm.BlockSize()
	} else if p.signed {
		size += p.algorithm.SignatureLength()
	}
	binary.LittleEndian.PutUint32(frame[4:], uint32(size))
	if p.signed {
		signature, err := p.algorithm.Signature(frame)
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		frame = append(frame, signature...)
	}
	if !p.encrypted {
		return frame, nil
	}
	sealed, err := p.algorithm.Encrypt(frame[len(head):])
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return append(frame[:len(head)], sealed...), nil
}

// unseal decrypts and verifies a frame, and returns what follows its headers:
// at least the header of its sequence.
func (p protection) unseal(raw []byte, head int) ([]byte, error) {
	plain := raw[head:]
	if p.encrypted {
		opened, err := p.algorithm.Decrypt(plain)
		if err != nil {
			return nil, unsafeChunk(err)
		}
		plain = opened
	}
	if p.signed {
		n := len(plain) - p.algorithm.RemoteSignatureLength()
		if n < 0 {
			return nil, unsafeChunk(errors.New("too short for a signature"))
		}
		if err := p.algorithm.VerifySignature(slices.Concat(raw[:head], plain[:n]), plain[n:]); err != nil {
			return nil, unsafeChunk(err)
		}
		plain = plain[:n]
	}
	if p.encrypted {
		n := p.padding(plain)
		if n > len(plain) {
			return nil, unsafeChunk(errors.New("more padding than there are bytes"))
		}
		plain = plain[:len(plain)-n]
	}
	if len(plain) < sequenceHeader {
		return nil, fmt.Errorf("chunk without header of its sequence: %w", ua.StatusBadDecodingError)
	}
	return plain, nil
}

// padding is how many bytes at the end of plain are padding, its sizes
// included. It may be more than there are.
func (p protection) padding(plain []byte) int {
	n := len(plain)
	switch wide := p.algorithm.SignatureLength() > wideKey; {
	case wide && n >= 2:
		return int(plain[n-1])<<8 + int(plain[n-2]) + 2
	case !wide && n >= 1:
		return int(plain[n-1]) + 1
	default:
		return n + 1
	}
}

// unsafeChunk is the error of a chunk that is not what its sender has sealed.
func unsafeChunk(err error) error {
	return fmt.Errorf("chunk fails the checks of security (%w): %w", err, ErrTampered)
}

// ErrTampered is what a chunk is refused by that cannot be decrypted or whose
// signature or padding is wrong.
var ErrTampered = errors.New("not sealed by the peer of this channel")
