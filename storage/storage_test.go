package storage_test

import (
	"testing"

	"simkube.io/simkube/storage/storagetest"
)

func TestFiles(t *testing.T) { t.Parallel(); storagetest.Run(t, storagetest.Files) }

func TestS3(t *testing.T) { t.Parallel(); storagetest.Run(t, storagetest.StartS3) }

func TestGoogle(t *testing.T) { t.Parallel(); storagetest.Run(t, storagetest.StartGoogle) }

func TestAzure(t *testing.T) { t.Parallel(); storagetest.Run(t, storagetest.StartAzure) }
