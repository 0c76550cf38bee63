// Package words writes counts, lists and shortened text for messages in English.
package words
