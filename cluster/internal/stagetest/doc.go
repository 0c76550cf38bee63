// Package stagetest tests SimKube's KWOK stages with the very code by which KWOK plays them, without a cluster.
package stagetest
