package db

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// archivedRow is one row of an archive file (Parquet, zstd). The tenant is in
// the name of the file and in its metadata.
type archivedRow struct {
	Signal  int64    `parquet:"signal_id,delta,zstd"`
	Time    int64    `parquet:"ts,delta,zstd,timestamp(microsecond)"` // microseconds since 1970, UTC
	Value   *float64 `parquet:"value,optional,zstd"`
	Quality int32    `parquet:"quality,delta,zstd"`
}

// archivedAtOnce is how many rows are written or read in one call.
const archivedAtOnce = 10_000

// digest sums the hashes of rows, in any order: the first eight bytes of the
// SHA-256 of signal, time, value and quality as PostgreSQL sends them.
type digest struct {
	rows int64
	sum  big.Int
}

// rowDigest is the same hash in SQL, as a sum over rows of a partition.
const rowDigest = `
SELECT count(*), coalesce(sum(('x' || encode(substr(sha256(
  int8send(signal_id) || int8send((extract(epoch FROM ts) * 1000000)::bigint) || coalesce(float8send(value), '') || int2send(quality)
), 1, 8), 'hex'))::bit(64)::bigint), 0)::text`

func (d *digest) add(r *archivedRow) {
	buf := make([]byte, 0, 26)
	buf = binary.BigEndian.AppendUint64(buf, uint64(r.Signal))
	buf = binary.BigEndian.AppendUint64(buf, uint64(r.Time))
	if r.Value != nil {
		buf = binary.BigEndian.AppendUint64(buf, math.Float64bits(*r.Value))
	}
	buf = binary.BigEndian.AppendUint16(buf, uint16(r.Quality))
	sum := sha256.Sum256(buf)
	d.rows++
	d.sum.Add(&d.sum, big.NewInt(int64(binary.BigEndian.Uint64(sum[:8]))))
}

// writeArchive writes rows, which next fills batch by batch until it returns
// none, to a file that appears under its name only when it is complete.
func writeArchive(path string, metadata map[string]string, next func(batch []archivedRow) (int, error)) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of archive: %w", err)
	}
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- in the folder the operator named
	if err != nil {
		return fmt.Errorf("create archive: %w", err)
	}
	options := []parquet.WriterOption{parquet.CreatedBy("OPTRIA IQ", "1", "historian")}
	for key, value := range metadata {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	if err := errors.Join(fillArchive(parquet.NewGenericWriter[archivedRow](file, options...), next), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("keep archive: %w", err)
	}
	return nil
}

func fillArchive(w *parquet.GenericWriter[archivedRow], next func(batch []archivedRow) (int, error)) error {
	batch := make([]archivedRow, archivedAtOnce)
	for {
		n, err := next(batch)
		if err == nil && n > 0 {
			_, err = w.Write(batch[:n])
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
		if n == 0 {
			return w.Close()
		}
	}
}

// hashFile returns the size and the SHA-256 of a file.
func hashFile(path string) (size int64, hash []byte, err error) {
	file, err := os.Open(path) // #nosec G304 -- in the folder the operator named
	if err != nil {
		return 0, nil, fmt.Errorf("open archive: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	whole := sha256.New()
	if size, err = io.Copy(whole, file); err != nil {
		return 0, nil, fmt.Errorf("read archive: %w", err)
	}
	return size, whole.Sum(nil), nil
}

// readArchive gives the rows of a file to take, in the order of signal and
// time, and returns their digest. The file must be one that was written here:
// compare its hash first.
func readArchive(path string, take func(rows []archivedRow) error) (found digest, err error) {
	file, err := os.Open(path) // #nosec G304 -- in the folder the operator named
	if err != nil {
		return found, fmt.Errorf("open archive: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r := parquet.NewGenericReader[archivedRow](file)
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		batch := make([]archivedRow, archivedAtOnce)
		n, readErr := r.Read(batch)
		for i := range batch[:n] {
			found.add(&batch[i])
		}
		if err := take(batch[:n]); err != nil {
			return found, err
		}
		if errors.Is(readErr, io.EOF) {
			return found, nil
		}
		if readErr != nil {
			return found, fmt.Errorf("read archive: %w", readErr)
		}
	}
}
