// Package hostile has what tests of hostile traces share: traces that reach for what is outside of
// their simulation ([Trace]), objects outside that they reach for ([CreateOutside]), and a listing
// of everything in a cluster ([List]), to see whether any of it was touched.
package hostile
