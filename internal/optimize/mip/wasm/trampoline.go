package wasm

// trampolineModule returns a module of about 100 bytes that imports the
// solver's function table and a Go callback; its export "i" appends to the
// table a function that forwards to Go and returns its index. The solver's C
// API takes such an index as its callback pointer.
func trampolineModule() []byte {
	const i32, funcref = 0x7f, 0x70
	section := func(id byte, body ...byte) []byte {
		return append([]byte{id, byte(len(body))}, body...)
	}
	table := exportName["table"]
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	out = append(out, section(1, 2, // types: the callback, and () → i32
		0x60, 5, i32, i32, i32, i32, i32, 0,
		0x60, 0, 1, i32)...)
	imports := []byte{2, 5, 'h', 'i', 'g', 'h', 's', byte(len(table))}
	imports = append(imports, table...)
	imports = append(imports, 1, funcref, 0, 0, 2, 'c', 'b', 1, 'f', 0, 0)
	out = append(out, section(2, imports...)...)
	out = append(out, section(3, 2, 0, 1)...)
	out = append(out, section(7, 1, 1, 'i', 0, 2)...)
	out = append(out, section(9, 1, 3, 0, 1, 1)...) // declares function 1 for ref.func
	forward := []byte{0, 0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4, 0x10, 0, 0x0b}
	grow := []byte{0, 0xd2, 1, 0x41, 1, 0xfc, 0x0f, 0, 0x0b} // table.grow by one ref.func 1
	code := append([]byte{2, byte(len(forward))}, forward...)
	code = append(append(code, byte(len(grow))), grow...)
	return append(out, section(10, code...)...)
}
