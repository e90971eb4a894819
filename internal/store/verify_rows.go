package store

import (
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"sync"

	"postdesk/internal/audit"
)

// originals checks the bytes of every mail against the hash it is stored under.
func (v *verifier) originals() {
	v.bytes = make(map[string]bool)
	after := ""
	for {
		var page []Original
		query := "SELECT sha256, size, codec, data FROM original WHERE sha256 > ? ORDER BY sha256 LIMIT 200"
		if err := v.db.Raw(query, after).Scan(&page).Error; err != nil {
			v.lost("original", Failure{Kind: "original", What: fmt.Sprintf("originals after %q cannot be read: %v", after, err)})
			return
		}
		if len(page) == 0 {
			return
		}
		for i, err := range unpackAll(page) {
			o := page[i]
			after = o.SHA256
			v.report.Originals++
			v.bytes[o.SHA256] = false
			if err != nil {
				v.fail(Failure{Kind: "original", SHA256: o.SHA256, What: err.Error()})
			}
		}
	}
}

// unpackAll checks originals on all processors.
func unpackAll(page []Original) []error {
	errs := make([]error, len(page))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(page); i += workers {
				_, errs[i] = page[i].Bytes()
			}
		})
	}
	wg.Wait()
	return errs
}

// lost reports a table that cannot be read to its end. Nothing is said of what may lie behind.
func (v *verifier) lost(table string, f Failure) {
	if v.unread == nil {
		v.unread = make(map[string]bool)
	}
	v.unread[table] = true
	v.fail(f)
}

// rows compares every audited row with the newest event that names it.
func (v *verifier) rows() {
	for _, t := range v.s.tables {
		if isNamed(t.name) {
			v.named(t)
		} else {
			v.numbered(t)
		}
	}
	v.strangers()
}

// numbered walks a table by id in pages. A page that cannot be read is read row by row, to name the row.
func (v *verifier) numbered(t *table) {
	var after int64
	for {
		page := reflect.New(reflect.SliceOf(t.typ))
		err := v.db.Where("id > ?", after).Order("id").Limit(500).Find(page.Interface()).Error
		if err != nil {
			if !v.singly(t, &after, err) {
				break
			}
			continue
		}
		n := page.Elem().Len()
		if n == 0 {
			break
		}
		for i := range n {
			row := page.Elem().Index(i)
			after = row.Field(t.key.index).Int()
			v.row(t, row)
		}
	}
	v.missing(t)
}

// singly reads the next rows one at a time, by the ids the database lists, or else by those the events name. It returns
// false when it has come to the end of what can be read.
func (v *verifier) singly(t *table, after *int64, cause error) bool {
	var ids []int64
	err := v.db.Raw("SELECT id FROM "+t.name+" WHERE id > ? ORDER BY id LIMIT 500", *after).Scan(&ids).Error
	listed := err == nil
	if !listed {
		v.lost(t.name, Failure{Kind: "row", What: fmt.Sprintf("table %s cannot be read in whole: %v", t.name, cause)})
		ids = v.knownIDs(t, *after)
	}
	for _, id := range ids {
		*after = id
		row := reflect.New(reflect.SliceOf(t.typ))
		if err := v.db.Where("id = ?", id).Find(row.Interface()).Error; err != nil {
			v.unreadable(t, id, err)
		} else if row.Elem().Len() > 0 {
			v.row(t, row.Elem().Index(0))
		}
	}
	return listed && len(ids) > 0
}

func (v *verifier) knownIDs(t *table, after int64) []int64 {
	if v.digests == nil {
		return nil
	}
	ids := slices.DeleteFunc(slices.Collect(maps.Keys(v.digests[t.name].byID)), func(id int64) bool { return id <= after })
	slices.Sort(ids)
	return ids
}

func (v *verifier) unreadable(t *table, id int64, err error) {
	f := Failure{Kind: "row", What: fmt.Sprintf("%s %d cannot be read: %v", t.name, id, err)}
	if v.digests != nil {
		if d := v.digests[t.name].byID[id]; d != nil {
			d.seen = true
			f.Seq, f.SHA256 = d.seq, hex.EncodeToString(d.sum[:])
		}
	}
	v.fail(f)
}

// named walks a small table by name.
func (v *verifier) named(t *table) {
	all := reflect.New(reflect.SliceOf(t.typ))
	if err := v.db.Order("name").Find(all.Interface()).Error; err != nil {
		v.lost(t.name, Failure{Kind: "row", What: fmt.Sprintf("table %s cannot be read: %v", t.name, err)})
		return
	}
	for i := range all.Elem().Len() {
		v.row(t, all.Elem().Index(i))
	}
	v.missing(t)
}

// row compares one row with its digest.
func (v *verifier) row(t *table, row reflect.Value) {
	v.report.Rows++
	v.reference(t, row)
	if v.digests == nil {
		return
	}
	key := row.Field(t.key.index)
	var d *digest
	if isNamed(t.name) {
		d = v.digests[t.name].byName[key.String()]
	} else {
		d = v.digests[t.name].byID[key.Int()]
	}
	if d == nil {
		v.fail(Failure{Kind: "row", What: fmt.Sprintf("%s %v is named by no event", t.name, key.Interface())})
		return
	}
	d.seen = true
	if recorded := hex.EncodeToString(d.sum[:]); audit.Digest(row.Interface()) != recorded {
		v.fail(Failure{Kind: "row", Seq: d.seq, SHA256: recorded,
			What: fmt.Sprintf("%s %v differs from what event %d recorded", t.name, key.Interface(), d.seq)})
	}
}

// reference notes which original the row names.
func (v *verifier) reference(t *table, row reflect.Value) {
	sha := t.originalOf(row)
	if _, there := v.bytes[sha]; there {
		v.bytes[sha] = true
		return
	}
	if sha != "" && !v.unread["original"] {
		v.fail(Failure{Kind: "original", SHA256: sha,
			What: fmt.Sprintf("original %s of %s %v is missing", sha, t.name, row.Field(t.key.index).Interface())})
	}
}

// missing reports the rows that events name and the table does not have.
func (v *verifier) missing(t *table) {
	if v.digests == nil || v.unread[t.name] {
		return
	}
	for _, id := range v.knownIDs(t, -1<<63) {
		v.gone(t.name, id, v.digests[t.name].byID[id])
	}
	for _, name := range slices.Sorted(maps.Keys(v.digests[t.name].byName)) {
		v.gone(t.name, name, v.digests[t.name].byName[name])
	}
}

func (v *verifier) gone(table string, key any, d *digest) {
	if !d.seen {
		v.fail(Failure{Kind: "row", Seq: d.seq, SHA256: hex.EncodeToString(d.sum[:]),
			What: fmt.Sprintf("%s %v, which event %d recorded, is missing", table, key, d.seq)})
	}
}

// strangers reports the originals that no row names. It says nothing when a table could not be read.
func (v *verifier) strangers() {
	if len(v.unread) > 0 {
		return
	}
	for _, sha := range slices.Sorted(maps.Keys(v.bytes)) {
		if !v.bytes[sha] {
			v.fail(Failure{Kind: "original", SHA256: sha, What: fmt.Sprintf("original %s is named by no row", sha)})
		}
	}
}
