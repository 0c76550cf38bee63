package storagetest

import (
	"context"
	"net"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// The account of Azurite, with its well-known key.
const (
	azureAccount = "devstoreaccount1"
	azureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// StartAzure starts an emulator of Azure Blob Storage that verifies signatures, with a container in
// it.
func StartAzure(t testing.TB) *Server {
	t.Helper()
	const name = "traces"
	address := freeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	start(t, address, program(t, "azurite/node_modules/.bin/azurite-blob"), "--blobHost", host, "--blobPort", port,
		"--silent", "--disableTelemetry", "--skipApiVersionCheck", "--location", t.TempDir())
	proxy := NewProxy(t, address)
	shared, err := container.NewSharedKeyCredential(azureAccount, azureKey)
	if err != nil {
		t.Fatal(err)
	}
	client, err := container.NewClientWithSharedKeyCredential("http://"+address+"/"+azureAccount+"/"+name, shared,
		&container.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: newHTTPClient(t)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	objects := func(ctx context.Context) ([]string, error) {
		var keys []string
		for pages := client.NewListBlobsFlatPager(nil); pages.More(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, blob := range page.Segment.BlobItems {
				keys = append(keys, *blob.Name)
			}
		}
		return keys, nil
	}
	env := map[string]string{
		"AZURE_STORAGE_ACCOUNT_NAME": azureAccount, "AZURE_STORAGE_ACCOUNT_KEY": azureKey,
		"AZURE_STORAGE_ENDPOINT": "http://" + proxy.Address() + "/" + azureAccount,
	}
	return &Server{
		Env: env,
		Wrong: map[string]map[string]string{
			"wrong key":     with(env, "AZURE_STORAGE_ACCOUNT_KEY", "bm90IHRoZSBrZXk="),
			"no base64":     with(env, "AZURE_STORAGE_ACCOUNT_KEY", "not a key"),
			"no account":    with(env, "AZURE_STORAGE_ACCOUNT_NAME", ""),
			"wrong account": with(env, "AZURE_STORAGE_ACCOUNT_NAME", "somebodyelse"),
		},
		Prefix:  "azure://" + name + "/",
		Missing: "azure://missing/",
		Proxy:   proxy,
		objects: objects,
		// Uncommitted blocks are invisible and cannot be removed. Azure deletes them after a week.
		unfinished: func(context.Context) ([]string, error) { return nil, nil },
	}
}
