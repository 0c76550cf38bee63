// Package hostile provides tests with hostile traces, which refer to objects outside of their
// simulation ([Trace]), with such objects ([CreateOutside]), and with a listing of everything in a
// cluster ([List]) to check that nothing was changed.
package hostile
