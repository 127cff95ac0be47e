// The three passes of a sync's state over bbolt, as a Go program does them: values are JSON, entries are read in batches of
// 1000 and written in batches of 500, nothing is forced to disk. `load DATABASE LISTING` makes the state, `passes DATABASE
// LISTING` goes over it and prints one line of JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	synced  = 1
	deleted = 2
	unseen  = 3

	readRows  = 1000
	writeRows = 500
)

type meta struct {
	Size   int64  `json:"size"`
	Mtime  int64  `json:"mtime"`
	Hash   string `json:"hash"`
	Status int    `json:"status"`
}

var bucket = []byte("files")

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func cpu() float64 {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)/1e6
}

func statusKB(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	must(err)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name+":") {
			kb, err := strconv.ParseInt(strings.Fields(line)[1], 10, 64)
			must(err)
			return kb
		}
	}
	return 0
}

func write(db *bolt.DB, changes map[string]meta) {
	must(db.Update(func(tx *bolt.Tx) error {
		files := tx.Bucket(bucket)
		for key, value := range changes {
			text, err := json.Marshal(value)
			if err != nil {
				return err
			}
			if err := files.Put([]byte(key), text); err != nil {
				return err
			}
		}
		return nil
	}))
}

func read(db *bolt.DB, from []byte) (map[string]meta, []byte) {
	batch := make(map[string]meta, readRows)
	var next []byte
	must(db.View(func(tx *bolt.Tx) error {
		cursor := tx.Bucket(bucket).Cursor()
		key, value := cursor.First()
		if from != nil {
			key, value = cursor.Seek(from)
		}
		for ; key != nil && len(batch) < readRows; key, value = cursor.Next() {
			var entry meta
			if err := json.Unmarshal(value, &entry); err != nil {
				return err
			}
			batch[string(key)] = entry
		}
		if key != nil {
			next = append([]byte(nil), key...)
		}
		return nil
	}))
	return batch, next
}

func mark(db *bolt.DB, from, to int) {
	changes := make(map[string]meta, writeRows)
	var next []byte
	for {
		var batch map[string]meta
		batch, next = read(db, next)
		for key, entry := range batch {
			if entry.Status != from {
				continue
			}
			entry.Status = to
			changes[key] = entry
			if len(changes) >= writeRows {
				write(db, changes)
				changes = make(map[string]meta, writeRows)
			}
		}
		if next == nil {
			break
		}
	}
	write(db, changes)
}

func listed(path string, each func(key, etag []byte)) {
	file, err := os.Open(path)
	must(err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Bytes()
		tab := bytes.IndexByte(line, '\t')
		each(line[:tab], line[tab+1:])
	}
	must(lines.Err())
}

func scan(db *bolt.DB, listing string) {
	changes := make(map[string]meta, writeRows)
	listed(listing, func(key, etag []byte) {
		var entry meta
		found := false
		must(db.View(func(tx *bolt.Tx) error {
			value := tx.Bucket(bucket).Get(key)
			if value == nil {
				return nil
			}
			found = true
			return json.Unmarshal(value, &entry)
		}))
		if found && entry.Status == unseen && entry.Hash == string(etag) {
			entry.Status = synced
			changes[string(key)] = entry
			if len(changes) >= writeRows {
				write(db, changes)
				changes = make(map[string]meta, writeRows)
			}
		}
	})
	write(db, changes)
}

func load(db *bolt.DB, listing string) {
	must(db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	}))
	changes := make(map[string]meta, readRows)
	listed(listing, func(key, etag []byte) {
		changes[string(key)] = meta{int64(len(key)) * 1000, 1700000000, string(etag), synced}
		if len(changes) >= readRows {
			write(db, changes)
			changes = make(map[string]meta, readRows)
		}
	})
	write(db, changes)
}

func passes(db *bolt.DB, path, listing string) {
	before, err := os.Stat(path)
	must(err)
	var anonPeak int64
	go func() {
		for {
			if kb := statusKB("RssAnon"); kb > atomic.LoadInt64(&anonPeak) {
				atomic.StoreInt64(&anonPeak, kb)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	began := cpu()
	mark(db, synced, unseen)
	prepared := cpu()
	scan(db, listing)
	scanned := cpu()
	mark(db, unseen, deleted)
	finished := cpu()

	after, err := os.Stat(path)
	must(err)
	report, err := json.Marshal(map[string]float64{
		"prepare_s": prepared - began, "scan_s": scanned - prepared, "finish_s": finished - scanned,
		"anon_mb":  float64(atomic.LoadInt64(&anonPeak)) * 1024 / 1e6,
		"file_mb":  float64(after.Size()) / 1e6,
		"grown_pc": 100 * float64(after.Size()-before.Size()) / float64(before.Size()),
	})
	must(err)
	fmt.Println(string(report))
}

func main() {
	what, path, listing := os.Args[1], os.Args[2], os.Args[3]
	db, err := bolt.Open(path, 0600, &bolt.Options{NoSync: true})
	must(err)
	if what == "load" {
		load(db, listing)
	} else {
		passes(db, path, listing)
	}
	must(db.Close())
}
