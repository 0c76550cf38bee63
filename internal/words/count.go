package words

import "strconv"

// Integer is the type of a count.
type Integer interface {
	~int | ~int32 | ~int64
}

// Number returns n in decimal with a comma between groups of three digits: "12,345".
func Number[N Integer](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Count returns n and the noun, with an s added unless n is 1: "1 pod", "2,000 pods".
func Count[N Integer](n N, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Number(n) + " " + noun
}

// Times returns how often something happened: "once", "0 times", "2 times".
func Times[N Integer](n N) string {
	if n == 1 {
		return "once"
	}
	return Count(n, "time")
}
