import time
def test_x(desk, town, closed, capsys):
    for i in range(2):
        t=time.time(); a = desk.close(town, "--yes"); 
        with capsys.disabled(): print(a.status, a.out, a.err, time.time()-t)
    with capsys.disabled():
        for w in ["bills","deliveries","paper","scheduled-payments","autopay-unscheduled","checks","exceptions","audit"]:
            print(w); [print("  ",r) for r in desk.rows(w) if w!="checks" or r["status"]!="passed"]
        print(list(desk.files()))
