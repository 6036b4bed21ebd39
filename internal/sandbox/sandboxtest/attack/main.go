// Attack tries ways out of the sandbox that it is run in: one per argument, or all
// with their names printed. It exits with 0 when the way was open, 1 when it was
// closed, and says on standard output what happened.
//
//	attack list
//	attack NAME [ARGUMENT...]
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// attacks return nil when they got through.
var attacks = map[string]func(args []string) error{}

// register adds attacks of one kind.
func register(kind map[string]func(args []string) error) {
	maps.Copy(attacks, kind)
}

func main() {
	for _, kind := range []map[string]func([]string) error{mounts, processes, devices, kernel, files, network} {
		register(kind)
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: attack list | NAME [ARGUMENT...]")
		os.Exit(2)
	}
	if os.Args[1] == "list" {
		for _, name := range slices.Sorted(maps.Keys(attacks)) {
			fmt.Println(name)
		}
		return
	}
	attack, known := attacks[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "unknown attack")
		os.Exit(2)
	}
	if err := attack(os.Args[2:]); err != nil {
		fmt.Println("closed:", err)
		os.Exit(1)
	}
	fmt.Println("open")
}

// anyOf tries ways in turn: nil when one was open, whose number is printed.
func anyOf(ways ...func() error) error {
	all := []error{errors.New("no way")}
	for i, way := range ways {
		err := way()
		if err == nil {
			fmt.Println("way", i)
			return nil
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// errContained says that calls worked, and led nowhere.
var errContained = errors.New("it worked, and led nowhere")
