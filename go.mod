module sock

go 1.26
