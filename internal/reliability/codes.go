package reliability

// FailureModeCodes lists the failure mode codes of ISO 14224 that forms offer:
// those of rotating, mechanical, electrical and control equipment. A plant may
// use codes of its own beside them. Words are under "reliability.iso." and the
// code.
var FailureModeCodes = []string{
	"AIR", "BRD", "DOP", "ELF", "ELP", "ELU", "ERO", "FOF", "FOV", "FRO", "FTC", "FTF", "FTI", "FTO", "FTR", "FTS", "HIO", "IHT", "INL",
	"LBP", "LCP", "LOA", "LOB", "LOO", "LOU", "NOI", "OHE", "OTH", "PDE", "PLU", "PTF", "SER", "SPO", "STD", "STP", "UNK", "UST", "VIB",
}
