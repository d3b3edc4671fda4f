// Makes benchstat.json with what benchstat compares by (golang.org/x/perf v0.0.0-20260908200009-22c9c6c9d4da):
//   go mod init x && go get golang.org/x/perf@22c9c6c9d4da && go run benchstat.go > benchstat.json
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"

	"golang.org/x/perf/benchmath"
)

func main() {
	r := rand.New(rand.NewSource(9))
	vals := func(n int, mean float64, step float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			v := mean + r.NormFloat64()
			x[i] = float64(int(v/step)) * step
		}
		return x
	}
	type c struct {
		Name      string    `json:"name"`
		Candidate []float64 `json:"candidate"`
		Baseline  []float64 `json:"baseline"`
		P         float64   `json:"p"`
	}
	var out []c
	add := func(name string, x, y []float64) {
		t := benchmath.DefaultThresholds
		res := benchmath.AssumeNothing.Compare(benchmath.NewSample(append([]float64{}, x...), &t), benchmath.NewSample(append([]float64{}, y...), &t))
		if len(res.Warnings) > 0 {
			fmt.Fprintln(os.Stderr, name, res.Warnings)
		}
		out = append(out, c{name, x, y, res.P})
	}
	add("ten a side", vals(10, 0, 1e-6), vals(10, 1, 1e-6))
	add("ten a side, ties", vals(10, 0, 0.5), vals(10, 1, 0.5))
	add("twenty-five a side, ties", vals(25, 0, 0.25), vals(25, 0.5, 0.25))
	add("fifty a side", vals(50, 0, 1e-6), vals(50, 0.3, 1e-6))
	add("sixty a side, approximate", vals(60, 0, 1e-6), vals(60, 0.3, 1e-6))
	add("thirty a side, ties, approximate", vals(30, 0, 0.5), vals(30, 0.4, 0.5))
	add("four a side, apart", []float64{1, 2, 3, 4}, []float64{5, 6, 7, 8})
	add("all equal but one", []float64{1, 1, 1, 1}, []float64{1, 1, 1, 2})
	json.NewEncoder(os.Stdout).Encode(out)
}
