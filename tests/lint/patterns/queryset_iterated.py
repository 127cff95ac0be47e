from django.db import models
from shop.models import Order


class Author(models.Model):
    name = models.TextField()


class Novel(Author):
    pass


def one():
    for author in Author.objects.all():  # FW101
        print(author)


def two():
    orders = Order.objects.order_by("pk")
    for order in orders:  # FW101
        order.save()


def three():
    return [novel.name for novel in Novel.objects.all()]  # FW101


def everything():
    return Order.objects.all()


def four():
    for order in everything():  # FW101
        print(order)


def five(writer):
    for number, author in enumerate(Author.objects.values_list("name")):  # FW101
        writer.writerow([number, author])
