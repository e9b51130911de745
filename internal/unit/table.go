package unit

// Dimensions of the table.
const (
	Temperature  Dimension = "temperature"
	Pressure     Dimension = "pressure"
	Length       Dimension = "length"
	PeakToPeak   Dimension = "displacement_peak_to_peak" // amplitude of vibration, not convertible to a length
	Speed        Dimension = "speed"
	Acceleration Dimension = "acceleration"
	Volume       Dimension = "volume"
	VolumeFlow   Dimension = "volume_flow"
	NormalFlow   Dimension = "normal_volume_flow" // gas at 0 °C and 1 atm
	GasVolume    Dimension = "standard_gas_volume"
	Mass         Dimension = "mass"
	MassFlow     Dimension = "mass_flow"
	Density      Dimension = "density"
	Power        Dimension = "power"
	Apparent     Dimension = "apparent_power"
	Reactive     Dimension = "reactive_power"
	Energy       Dimension = "energy"
	PerVolume    Dimension = "energy_per_volume"
	Current      Dimension = "current"
	Voltage      Dimension = "voltage"
	Resistance   Dimension = "resistance"
	Charge       Dimension = "charge"
	Frequency    Dimension = "frequency"
	Rotation     Dimension = "rotation"
	Time         Dimension = "time"
	Ratio        Dimension = "ratio"
	Conductivity Dimension = "conductivity"
	Viscosity    Dimension = "dynamic_viscosity"
	Kinematic    Dimension = "kinematic_viscosity"
	Force        Dimension = "force"
	Torque       Dimension = "torque"
	Angle        Dimension = "angle"
	Sound        Dimension = "sound_level"
	Turbidity    Dimension = "turbidity"
)

// table holds factors to the SI base of each dimension. Codes: UNECE
// Recommendation 20, revision 17. Factors: NIST Special Publication 811.
var table = []Unit{
	{"CEL", "°C", Temperature, 1, 273.15, Unstated}, {"KEL", "K", Temperature, 1, 0, Unstated},
	{"FAH", "°F", Temperature, 5.0 / 9, 459.67 * 5 / 9, Unstated},

	{"PAL", "Pa", Pressure, 1, 0, Unstated}, {"A97", "hPa", Pressure, 100, 0, Unstated}, {"KPA", "kPa", Pressure, 1e3, 0, Unstated},
	{"MPA", "MPa", Pressure, 1e6, 0, Unstated}, {"BAR", "bar", Pressure, 1e5, 0, Unstated}, {"MBR", "mbar", Pressure, 100, 0, Unstated},
	{"PS", "psi", Pressure, 6894.757293168, 0, Unstated}, {"ATM", "atm", Pressure, atmosphere, 0, Absolute},
	{"E42", "kgf/cm²", Pressure, 98066.5, 0, Unstated}, {"HN", "mmHg", Pressure, 133.322387415, 0, Unstated},
	{"HP", "mmH₂O", Pressure, 9.80665, 0, Unstated}, {"F78", "inH₂O", Pressure, 249.08891, 0, Unstated}, {"F79", "inHg", Pressure, 3386.38864, 0, Unstated},
	{"", "barg", Pressure, 1e5, 0, Gauge}, {"", "bara", Pressure, 1e5, 0, Absolute}, {"", "mbarg", Pressure, 100, 0, Gauge}, {"", "mbara", Pressure, 100, 0, Absolute},
	{"", "psig", Pressure, 6894.757293168, 0, Gauge}, {"", "psia", Pressure, 6894.757293168, 0, Absolute},
	{"", "kPag", Pressure, 1e3, 0, Gauge}, {"", "kPaa", Pressure, 1e3, 0, Absolute}, {"", "MPag", Pressure, 1e6, 0, Gauge}, {"", "kgf/cm²g", Pressure, 98066.5, 0, Gauge},

	{"MTR", "m", Length, 1, 0, Unstated}, {"CMT", "cm", Length, 0.01, 0, Unstated}, {"MMT", "mm", Length, 1e-3, 0, Unstated}, {"4H", "µm", Length, 1e-6, 0, Unstated},
	{"KMT", "km", Length, 1e3, 0, Unstated}, {"INH", "in", Length, 0.0254, 0, Unstated}, {"FOT", "ft", Length, 0.3048, 0, Unstated}, {"77", "mil", Length, 2.54e-5, 0, Unstated},
	{"", "um p-p", PeakToPeak, 1e-6, 0, Unstated}, {"", "mil p-p", PeakToPeak, 2.54e-5, 0, Unstated}, {"", "mm p-p", PeakToPeak, 1e-3, 0, Unstated},
	{"MTS", "m/s", Speed, 1, 0, Unstated}, {"C16", "mm/s", Speed, 1e-3, 0, Unstated}, {"IU", "in/s", Speed, 0.0254, 0, Unstated}, {"FS", "ft/s", Speed, 0.3048, 0, Unstated},
	{"KMH", "km/h", Speed, 1 / 3.6, 0, Unstated},
	{"MSK", "m/s²", Acceleration, 1, 0, Unstated}, {"K40", "gn", Acceleration, 9.80665, 0, Unstated},

	{"MTQ", "m³", Volume, 1, 0, Unstated}, {"LTR", "l", Volume, 1e-3, 0, Unstated}, {"BLL", "bbl", Volume, 0.158987294928, 0, Unstated},
	{"GLL", "gal", Volume, 0.003785411784, 0, Unstated}, {"FTQ", "ft³", Volume, 0.028316846592, 0, Unstated},
	{"", "scf", GasVolume, 0.028316846592, 0, Unstated}, {"", "Mscf", GasVolume, 28.316846592, 0, Unstated}, {"", "MMscf", GasVolume, 28316.846592, 0, Unstated},
	{"MQS", "m³/s", VolumeFlow, 1, 0, Unstated}, {"MQH", "m³/h", VolumeFlow, 1.0 / 3600, 0, Unstated}, {"G52", "m³/d", VolumeFlow, 1.0 / 86400, 0, Unstated},
	{"G51", "l/s", VolumeFlow, 1e-3, 0, Unstated}, {"L2", "l/min", VolumeFlow, 1e-3 / 60, 0, Unstated}, {"G2", "gal/min", VolumeFlow, 0.003785411784 / 60, 0, Unstated},
	{"B1", "bbl/d", VolumeFlow, 0.158987294928 / 86400, 0, Unstated}, {"2L", "ft³/min", VolumeFlow, 0.028316846592 / 60, 0, Unstated},
	{"", "Nm³/h", NormalFlow, 1.0 / 3600, 0, Unstated}, {"", "Nm³/s", NormalFlow, 1, 0, Unstated},

	{"KGM", "kg", Mass, 1, 0, Unstated}, {"GRM", "g", Mass, 1e-3, 0, Unstated}, {"MGM", "mg", Mass, 1e-6, 0, Unstated}, {"TNE", "t", Mass, 1e3, 0, Unstated}, {"LBR", "lb", Mass, 0.45359237, 0, Unstated},
	{"KGS", "kg/s", MassFlow, 1, 0, Unstated}, {"E93", "kg/h", MassFlow, 1.0 / 3600, 0, Unstated}, {"E18", "t/h", MassFlow, 1 / 3.6, 0, Unstated},
	{"E17", "t/d", MassFlow, 1e3 / 86400, 0, Unstated}, {"4U", "lb/h", MassFlow, 0.45359237 / 3600, 0, Unstated},
	{"KMQ", "kg/m³", Density, 1, 0, Unstated}, {"23", "g/cm³", Density, 1e3, 0, Unstated}, {"M1", "mg/l", Density, 1e-3, 0, Unstated}, {"GL", "g/l", Density, 1, 0, Unstated},
	{"", "PTB", Density, 0.45359237 / 158.987294928, 0, Unstated}, // pounds of salt in a thousand barrels of crude

	{"WTT", "W", Power, 1, 0, Unstated}, {"KWT", "kW", Power, 1e3, 0, Unstated}, {"MAW", "MW", Power, 1e6, 0, Unstated}, {"BHP", "hp", Power, 745.69987158227, 0, Unstated},
	{"D46", "VA", Apparent, 1, 0, Unstated}, {"KVA", "kVA", Apparent, 1e3, 0, Unstated}, {"MVA", "MVA", Apparent, 1e6, 0, Unstated},
	{"D44", "var", Reactive, 1, 0, Unstated}, {"KVR", "kvar", Reactive, 1e3, 0, Unstated}, {"MAR", "Mvar", Reactive, 1e6, 0, Unstated},
	{"JOU", "J", Energy, 1, 0, Unstated}, {"KJO", "kJ", Energy, 1e3, 0, Unstated}, {"3B", "MJ", Energy, 1e6, 0, Unstated}, {"GV", "GJ", Energy, 1e9, 0, Unstated},
	{"WHR", "Wh", Energy, 3600, 0, Unstated}, {"KWH", "kWh", Energy, 3.6e6, 0, Unstated}, {"MWH", "MWh", Energy, 3.6e9, 0, Unstated}, {"GWH", "GWh", Energy, 3.6e12, 0, Unstated},
	{"BTU", "Btu", Energy, 1055.05585262, 0, Unstated}, {"", "MMBtu", Energy, 1055055852.62, 0, Unstated},
	{"", "kWh/m³", PerVolume, 3.6e6, 0, Unstated}, {"", "Wh/l", PerVolume, 3.6e6, 0, Unstated},

	{"AMP", "A", Current, 1, 0, Unstated}, {"4K", "mA", Current, 1e-3, 0, Unstated}, {"B22", "kA", Current, 1e3, 0, Unstated},
	{"VLT", "V", Voltage, 1, 0, Unstated}, {"2Z", "mV", Voltage, 1e-3, 0, Unstated}, {"KVT", "kV", Voltage, 1e3, 0, Unstated},
	{"OHM", "ohm", Resistance, 1, 0, Unstated}, {"B49", "kohm", Resistance, 1e3, 0, Unstated}, {"B75", "Mohm", Resistance, 1e6, 0, Unstated},
	{"COU", "C", Charge, 1, 0, Unstated}, {"C40", "nC", Charge, 1e-9, 0, Unstated}, {"C71", "pC", Charge, 1e-12, 0, Unstated},
	{"HTZ", "Hz", Frequency, 1, 0, Unstated}, {"KHZ", "kHz", Frequency, 1e3, 0, Unstated}, {"", "1/d", Frequency, 1.0 / 86400, 0, Unstated}, {"H10", "1/h", Frequency, 1.0 / 3600, 0, Unstated},
	{"RPM", "rpm", Rotation, 1.0 / 60, 0, Unstated}, {"RPS", "rps", Rotation, 1, 0, Unstated},

	{"SEC", "s", Time, 1, 0, Unstated}, {"C26", "ms", Time, 1e-3, 0, Unstated}, {"MIN", "min", Time, 60, 0, Unstated}, {"HUR", "h", Time, 3600, 0, Unstated}, {"DAY", "d", Time, 86400, 0, Unstated},
	{"C62", "1", Ratio, 1, 0, Unstated}, {"P1", "%", Ratio, 0.01, 0, Unstated}, {"59", "ppm", Ratio, 1e-6, 0, Unstated}, {"61", "ppb", Ratio, 1e-9, 0, Unstated},
	{"D10", "S/m", Conductivity, 1, 0, Unstated}, {"H61", "mS/cm", Conductivity, 0.1, 0, Unstated}, {"G42", "µS/cm", Conductivity, 1e-4, 0, Unstated},
	{"C65", "Pa·s", Viscosity, 1, 0, Unstated}, {"C7", "cP", Viscosity, 1e-3, 0, Unstated}, {"S4", "m²/s", Kinematic, 1, 0, Unstated}, {"4C", "cSt", Kinematic, 1e-6, 0, Unstated},
	{"NEW", "N", Force, 1, 0, Unstated}, {"B47", "kN", Force, 1e3, 0, Unstated}, {"NU", "N·m", Torque, 1, 0, Unstated}, {"B48", "kN·m", Torque, 1e3, 0, Unstated},
	{"C81", "rad", Angle, 1, 0, Unstated}, {"DD", "°", Angle, 0.017453292519943295, 0, Unstated},
	{"2N", "dB", Sound, 1, 0, Unstated}, {"", "NTU", Turbidity, 1, 0, Unstated},
}

// aliases are the spellings met in PI, SAP, control systems and on Arabic
// panels, by the symbol of the unit. Blanks, dots and superscripts need no
// alias of their own.
var aliases = map[string][]string{
	"°C": {"degC", "deg C", "DEG. C", "Celsius", "C deg", "GradC", "°م", "درجة مئوية", "مئوية"}, "°F": {"degF", "deg F", "DEG. F", "Fahrenheit", "فهرنهايت"}, "K": {"Kelvin", "degK", "كلفن"},
	"bar": {"بار"}, "psi": {"lbf/in2", "رطل/بوصة2"}, "kgf/cm²": {"kg/cm2", "at"}, "mmHg": {"Torr", "mm Hg"}, "mmH₂O": {"mmH2O", "mmWC", "mmWG"}, "inH₂O": {"inH2O", "inWC"},
	"barg": {"bar g", "bar(g)", "bar-g", "barG"}, "bara": {"bar a", "bar(a)", "bar-a", "barA"}, "psig": {"psi g", "psi(g)"}, "psia": {"psi a", "psi(a)"}, "kPag": {"kPa(g)"}, "kPaa": {"kPa(a)"}, "kgf/cm²g": {"kg/cm2g", "kg/cm2(g)"},
	"atm": {"ضغط جوي"}, "Pa": {"Pascal", "باسكال"}, "kPa": {"كيلوباسكال"},
	"m": {"metre", "meter", "متر"}, "mm": {"millimetre", "مم"}, "µm": {"micron", "ميكرون"}, "in": {"inch", "بوصة"}, "ft": {"foot", "feet", "قدم"}, "mil": {"mils"},
	"um p-p": {"umpp", "um pk-pk", "micron p-p"}, "mil p-p": {"milpp", "mils p-p", "mil pk-pk"}, "mm p-p": {"mmpp"},
	"mm/s": {"mm/sec", "mmps", "mm/s rms", "مم/ث"}, "m/s": {"m/sec", "م/ث"}, "in/s": {"in/sec", "ips"}, "km/h": {"kmph", "كم/س"},
	"m/s²": {"m/sec2"},
	"m³":   {"m3", "CBM", "cubic metre", "م3"}, "l": {"L", "litre", "liter", "لتر"}, "bbl": {"BBL", "برميل"}, "gal": {"gallon", "USgal", "جالون"}, "ft³": {"cf", "cu ft"},
	"Mscf": {"MSCF"}, "MMscf": {"MMSCF"},
	"m³/h": {"m3/hr", "m3/hour", "cbm/h", "M3H", "م3/س", "م3/ساعة"}, "m³/d": {"m3/day", "م3/يوم"}, "m³/s": {"m3/sec", "cumec"}, "l/s": {"lps", "l/sec", "لتر/ث"}, "l/min": {"lpm"},
	"gal/min": {"gpm", "USGPM"}, "bbl/d": {"bpd", "bbl/day", "برميل/يوم"}, "ft³/min": {"cfm"}, "Nm³/h": {"Nm3/hr", "NCMH"},
	"kg": {"kilogram", "كجم", "كغ"}, "g": {"gram", "جرام"}, "t": {"TO", "ton metric", "tonne", "MT", "طن"}, "lb": {"lbs", "pound", "رطل"}, "mg": {"milligram"},
	"kg/s": {"kg/sec"}, "kg/h": {"kg/hr", "كجم/س"}, "t/h": {"t/hr", "TPH", "طن/س"}, "t/d": {"TPD", "t/day"}, "lb/h": {"lb/hr", "pph"},
	"kg/m³": {"kg/cbm"}, "mg/l": {"mg/litre", "ملغم/لتر"}, "PTB": {"lb/1000bbl"},
	"W": {"watt", "واط"}, "kW": {"كيلوواط"}, "MW": {"ميجاواط"}, "hp": {"horsepower", "حصان"}, "kWh": {"كيلوواط ساعة"}, "MWh": {"ميجاواط ساعة"},
	"A": {"amp", "amps", "ampere", "أمبير"}, "V": {"volt", "volts", "فولت"}, "kV": {"كيلوفولت"}, "ohm": {"Ohms", "أوم"}, "Hz": {"hertz", "cps", "هرتز"}, "1/d": {"per day", "/d"}, "1/h": {"per hour", "/h"},
	"rpm": {"r/min", "rev/min", "دورة/دقيقة", "د/د"}, "rps": {"r/s", "rev/s"},
	"s": {"sec", "second", "seconds", "ثانية", "ث"}, "min": {"minute", "minutes", "دقيقة"}, "h": {"hr", "hrs", "hour", "hours", "STD", "ساعة"}, "d": {"day", "days", "يوم"},
	"1": {"-", "none", "unitless", "EA", "PC", "p.u.", "قطعة"}, "%": {"percent", "pct", "PCT", "بالمئة", "نسبة مئوية"}, "ppm": {"PPM", "جزء في المليون"},
	"S/m": {"Sm-1"}, "µS/cm": {"uS/cm", "umho/cm", "ميكروسيمنز/سم"}, "mS/cm": {"mmho/cm"}, "cP": {"centipoise", "mPas"}, "cSt": {"centistoke", "mm2/s"}, "N·m": {"Newton metre"},
	"°": {"deg", "degree", "درجة"}, "dB": {"decibel", "ديسيبل"},
}
