// Package stagetest tests SimKube's KWOK stages with the code with which KWOK applies them, without
// a cluster.
package stagetest
